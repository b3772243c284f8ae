"""Links: programs attached to something, with one interface whatever that is.

A link that is closed, and not pinned, detaches its program: also when its process dies.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.errors import refused
from ebee.linux.flags import BPF_F_REPLACE
from ebee.linux.info import Info, object_info, open_id, open_pinned, pin
from ebee.linux.sys import Fd, call, open_fd
from ebee.obj import handles

if TYPE_CHECKING:
    from ebee.linux.programs import LinuxProgram

LINK_TYPE_NAMES = {number: name for name, number in uapi.LINK_TYPES.items()}

# The link types whose info has a text, which is asked for by giving it room.
TEXTS = {"raw_tracepoint": "raw_tracepoint_tp_name", "iter": "iter_target_name"}


class Link(handles.Link):
    """A program attached: `target` says to what, in words ("veth0 (generic)").

        with attach.xdp(program, "veth0") as link:
            ...

    Every failure is a KernelError.
    """

    def __init__(self, fd: Fd, target: str):
        self.fd = fd
        self.target = target

    @classmethod
    def from_id(cls, number: int) -> Link:
        """The link with that id. Needs CAP_SYS_ADMIN; since Linux 5.8."""
        return cls(open_id("link", number), f"link {number}")

    @classmethod
    def get(cls, path: str | os.PathLike[str]) -> Link:
        """The link pinned at a path; it stays attached as long as it is pinned."""
        return cls(open_pinned(path, "link"), os.fspath(path))

    def info(self) -> Info:
        """What the kernel says: type (a name), id, prog_id, and what that type of link has.

        An "xdp" link has `ifindex`, a "cgroup" link `cgroup_id` and `attach_type`, ...
        """
        raw = object_info(self.fd, "link")
        kind = LINK_TYPE_NAMES.get(raw.type, str(raw.type))
        text = TEXTS.get(kind)
        if text is not None:
            length = f"{text}_len"
            room = bytearray(raw[length] + 1)
            raw = object_info(self.fd, "link", **{text: room, length: len(room)})
            raw[text] = room.partition(b"\0")[0].decode(errors="replace")
        own = {k.removeprefix(kind + "_"): v for k, v in raw.items() if k.startswith(kind + "_")}
        return Info({"type": kind, "id": raw.id, "prog_id": raw.prog_id, **own})

    def update(self, program: LinuxProgram, replace: LinuxProgram | None = None) -> None:
        """Put another program in the place of the attached one, without a gap.

        With `replace` only if that is the one attached now. Not all links can: XDP, cgroup, tcx,
        netns, iterators and others can. Since Linux 5.7.
        """
        fields: dict[str, Any] = {"link_fd": self.fd, "new_prog_fd": program.fd, "flags": 0}
        if replace is not None:
            fields |= {"flags": BPF_F_REPLACE, "old_prog_fd": replace.fd}
        try:
            call("LINK_UPDATE", **fields)
        except OSError as error:
            why = {
                errno.EINVAL: "the link cannot be updated, or not with this type of program",
                errno.ENOLINK: "it is detached already",
            }
            if replace is not None:
                why[errno.EPERM] = f"another program than {replace.name!r} is attached"
            doing = f"update the link to {self.target} with program {program.name!r}"
            raise refused(error, doing, why.get(error.errno or 0, ""), since="5.7") from None

    def detach(self) -> None:
        """Detach now, whoever else holds the link, pinned or not. Since Linux 5.9."""
        try:
            call("LINK_DETACH", link_fd=self.fd)
        except OSError as error:
            why = "this type of link only goes when it is closed" if error.errno == 95 else ""
            raise refused(error, f"detach from {self.target}", why, since="5.9") from None

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Give the link a name in a BPF file system: it stays attached when this process ends."""
        pin(self.fd, path, f"the link to {self.target}")

    def close(self) -> None:
        """Give up this handle; the last one of a link that is not pinned detaches."""
        self.fd.close()

    def __repr__(self) -> str:
        return f"<Link {self.target}>"


def create(
    program: LinuxProgram,
    target: str,
    fields: Mapping[str, Any],
    why: Mapping[int, str],
    since: str,
    needs: tuple[str, ...] = ("CAP_BPF", "CAP_NET_ADMIN"),
) -> Link:
    """BPF_LINK_CREATE with its attributes; `why` explains the errnos that this kind has."""
    try:
        return Link(open_fd("LINK_CREATE", prog_fd=program.fd, **fields), target)
    except OSError as error:
        raise attach_error(error, program, target, why, since, needs) from None


def attach_error(
    error: OSError,
    program: LinuxProgram,
    target: str,
    why: Mapping[int, str],
    since: str,
    needs: tuple[str, ...] = (),
) -> KernelError:
    """The error for a failed attachment."""
    doing = f"attach program {program.name!r} ({program.type}) to {target}"
    return refused(error, doing, why.get(error.errno or 0, ""), needs=needs, since=since)
