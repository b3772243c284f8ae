"""Attaching to cgroups (version 2)."""

from __future__ import annotations

import errno
import os
from typing import Any

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.attach.common import ANCHOR_ERRORS, anchor, attach_type_of, opened
from ebee.linux.attachments import Attachment
from ebee.linux.errors import older_than, refused
from ebee.linux.flags import (
    BPF_F_ALLOW_MULTI,
    BPF_F_ALLOW_OVERRIDE,
    BPF_F_PREORDER,
    BPF_F_REPLACE,
)
from ebee.linux.links import Link, attach_error, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd, call

MODES = {"link": None, "multi": BPF_F_ALLOW_MULTI, "override": BPF_F_ALLOW_OVERRIDE, "exclusive": 0}
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
    replace: LinuxProgram | None = None,
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
    fields: dict[str, Any] = {"attach_type": uapi.ATTACH_TYPES[attach_type]}
    why = {getattr(errno, name): text for name, text in ANCHOR_ERRORS.items()} | {
        errno.EINVAL: f"the program was not loaded for {attach_type}, or is attached there already,"
        " or this kernel does not know the place that was asked for",
        errno.EPERM: "a program here or further up forbids others, or was attached in another mode",
        errno.EBADF: f"{path} is no cgroup of version 2",
        errno.E2BIG: "there is no room for more programs, or this kernel knows no order of them",
    }
    folder = opened(path, os.O_DIRECTORY)
    if mode == "link":
        if preorder or replace:
            folder.close()
            raise KernelError("preorder= and replace= are for mode 'multi', not for links")
        with folder:
            fields |= anchor("cgroup", before, after, expected_revision)
            return create(program, target, {"target_fd": folder, **fields}, why, "5.7")
    return _attach(program, folder, target, mode, fields, why, {
        "before": before, "after": after, "expected_revision": expected_revision,
        "preorder": preorder, "replace": replace,
    })  # fmt: skip


def _attach(
    program: LinuxProgram,
    folder: Fd,
    target: str,
    mode: str,
    fields: dict[str, Any],
    why: dict[int, str],
    order: dict[str, Any],
) -> Attachment:
    """BPF_PROG_ATTACH, whose program stays until it is detached."""
    place = anchor("at", order["before"], order["after"], order["expected_revision"])
    given = {name.removeprefix("at_"): value for name, value in place.items()}
    flags = given.pop("flags", 0) | (MODES[mode] or 0)
    if order["preorder"]:
        flags |= BPF_F_PREORDER
    if order["replace"] is not None:
        flags |= BPF_F_REPLACE
        given["replace_bpf_fd"] = getattr(order["replace"], "raw", order["replace"]).fd

    def put(fd: Fd, flags: int, given: dict[str, Any]) -> None:
        attributes = {"target_fd": folder, "attach_bpf_fd": fd, "attach_flags": flags}
        try:
            call("PROG_ATTACH", **attributes, **fields, **given)
        except OSError as error:
            needs = ("CAP_BPF", "CAP_NET_ADMIN")
            raise attach_error(error, program, target, why, "4.10", needs) from None

    def undo(own: Fd) -> None:
        try:
            call("PROG_DETACH", target_fd=folder, attach_bpf_fd=own, **fields)
        except OSError as error:
            reason = "it is not there any more" if error.errno == errno.ENOENT else ""
            raise refused(error, f"detach from {target}", reason) from None
        finally:
            folder.close()

    def exchange(own: Fd, new: Fd) -> None:
        base = MODES[mode] or 0
        if mode == "multi":
            put(new, base | BPF_F_REPLACE | (flags & BPF_F_PREORDER), {"replace_bpf_fd": own})
        else:
            put(new, base, {})

    try:
        put(program.fd, flags, given)
    except KernelError:
        folder.close()
        raise
    return Attachment(program, f"{target}, {mode}", "attach", undo, exchange)
