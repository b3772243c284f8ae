"""Which programs are attached to an interface, cgroup, network namespace or socket map, and in what
order."""

from __future__ import annotations

import errno
import os
from array import array
from typing import Any, NamedTuple

from ebee.linux import uapi
from ebee.linux.errors import older_than, refused
from ebee.linux.flags import BPF_F_QUERY_EFFECTIVE
from ebee.linux.sys import Attributes, Fd, strerror, submit


class Attached(NamedTuple):
    """One attached program: its id, that of its link (0: none), and the flags of the two."""

    prog_id: int
    link_id: int = 0
    flags: int = 0
    link_flags: int = 0


class Attachments(NamedTuple):
    """The programs of one place in the order in which they run; `flags`: how the place may be used
    (a cgroup's mode); `revision`: counts its changes (0: the kernel does not say)."""

    programs: list[Attached]
    flags: int = 0
    revision: int = 0


def query(target: int | Fd, attach_type: str, effective: bool = False) -> Attachments:
    """What is attached: `target` is an interface's index (tcx, netkit), or the descriptor of a
    cgroup, of a network namespace (sk_lookup, flow_dissector; Linux 5.0), of a sockmap (5.12).

    `effective`: of a cgroup, all that run for it, those of groups above included. Since Linux 4.15.
    """
    number = uapi.ATTACH_TYPES[attach_type]
    mprog = attach_type.startswith(("tcx_", "netkit_"))
    is_cgroup = "cgroup" in attach_type
    count = 64
    while True:
        ids, links, prog_flags, link_flags = (array("I", bytes(4 * count)) for _ in range(4))
        fields: dict[str, Any] = {"target_ifindex" if mprog else "target_fd": target}
        fields |= {"attach_type": number, "prog_ids": ids, "count": count, "revision": 0}
        fields |= {"query_flags": BPF_F_QUERY_EFFECTIVE} if effective else {}
        if mprog:
            fields |= {
                "prog_attach_flags": prog_flags, "link_ids": links, "link_attach_flags": link_flags
            }  # fmt: skip
        elif is_cgroup and not effective and not older_than("6.0"):
            fields["prog_attach_flags"] = prog_flags
        reply = Attributes("PROG_QUERY", fields)
        code = submit(reply)
        found: int = reply["count"]
        if code == errno.ENOSPC and found > count:
            count = found
            continue
        break
    if code:
        doing = f"ask what is attached as {attach_type}"
        since = "6.6" if mprog else "4.15"
        why = "this kernel does not know that" if code == errno.EINVAL else ""
        needs = ("CAP_NET_ADMIN",)
        raise refused(OSError(code, strerror(code)), doing, why, needs, since)
    rows = zip(ids[:found], links, prog_flags, link_flags, strict=False)
    return Attachments([Attached(*row) for row in rows], reply["attach_flags"], reply["revision"])


def cgroup(path: str | os.PathLike[str], attach_type: str, effective: bool = False) -> Attachments:
    """query() of a cgroup's folder."""
    from ebee.linux.attach.common import opened

    with opened(os.fspath(path), os.O_DIRECTORY) as folder:
        return query(folder, attach_type, effective)
