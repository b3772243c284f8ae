"""Attaching to cgroups (version 2)."""

from __future__ import annotations

import errno
import os
from typing import Any

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.attach.common import (
    AT_AN_ANCHOR,
    anchor,
    attach_type_of,
    opened,
    without_link,
)
from ebee.linux.errors import older_than
from ebee.linux.flags import (
    BPF_F_ALLOW_MULTI,
    BPF_F_ALLOW_OVERRIDE,
    BPF_F_PREORDER,
    BPF_F_REPLACE,
)
from ebee.linux.links import HasFd, Link, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd

MODES = {"link": 0, "multi": BPF_F_ALLOW_MULTI, "override": BPF_F_ALLOW_OVERRIDE, "exclusive": 0}
# Types that may be attached in one way only, whatever they were loaded for.
ONLY = {"cgroup_device": "cgroup_device", "cgroup_sysctl": "cgroup_sysctl",
        "sock_ops": "cgroup_sock_ops"}  # fmt: skip


def cgroup(
    program: LinuxProgram,
    path: str | os.PathLike[str],
    attach_type: str | None = None,
    mode: str = "auto",
    before: Any = None,
    after: Any = None,
    expected_revision: int = 0,
    preorder: bool = False,
    replace: HasFd | None = None,
) -> Link:
    """Attach to a cgroup of version 2, by its folder. Since Linux 4.10.

    `attach_type`: one of cgroup_* ("cgroup_inet_ingress"), by default what the program was loaded
    for. `mode`: "link" (Linux 5.7: several programs, and the kernel detaches with the link),
    "multi" (several programs; Linux 4.15), "override" (one, which a group below may replace),
    "exclusive" (one, and none below), "auto" (a link where there are some, else "multi").

    Programs run from the group upwards, and in a group in their order: `before`, `after` and
    `expected_revision` (Linux 6.17) as in `tcx`; `preorder` programs run first, from the top down
    (Linux 6.15; "multi"). `replace`: the program whose place to take ("multi"; Linux 5.5).
    """
    if mode != "auto" and mode not in MODES:
        raise KernelError(f"{mode!r} is no mode of attaching; there are: auto, {', '.join(MODES)}")
    if mode == "auto":
        plain = not (preorder or replace) and not older_than("5.7")
        mode = "link" if plain else "multi"
    attach_type = attach_type_of(program, attach_type or ONLY.get(program.type), "cgroup")
    path = os.fspath(path)
    target = f"cgroup {path} ({attach_type})"
    why = AT_AN_ANCHOR | {
        errno.EINVAL: f"the program was not loaded for {attach_type}, or is attached there already,"
        " or this kernel does not know the place that was asked for",
        errno.EPERM: "a program here or further up forbids others, or was attached in another mode",
        errno.EBADF: f"{path} is no cgroup of version 2",
        errno.E2BIG: "there is no room for more programs, or this kernel knows no order of them",
    }
    if mode == "link" and (preorder or replace):
        raise KernelError("preorder= and replace= are for mode 'multi', not for links")
    prefix = "cgroup_" if mode == "link" else ""
    how = anchor(prefix, before, after, expected_revision)
    folder = opened(path, os.O_DIRECTORY)
    place: dict[str, Any] = {"target_fd": folder, "attach_type": uapi.ATTACH_TYPES[attach_type]}
    if mode == "link":
        with folder:
            return create(program, target, place | how, why, "5.7")
    kept = MODES[mode] | (BPF_F_PREORDER if preorder else 0)
    how["attach_flags"] = how.pop("flags", 0) | kept | (BPF_F_REPLACE if replace else 0)
    if replace is not None:
        how["replace_bpf_fd"] = replace.fd

    def swap(own: Fd) -> dict[str, Any]:
        if mode != "multi":
            return {"attach_flags": kept}
        return {"attach_flags": kept | BPF_F_REPLACE, "replace_bpf_fd": own}

    return without_link(program, f"{target}, {mode}", place, how, swap, why, "4.10")
