"""Links: programs attached to something, with one interface whatever that is.

A link that is closed, and not pinned, detaches its program: also when its process dies.
"""

from __future__ import annotations

import errno
import os
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.errors import ENOTSUPP, refused
from ebee.linux.flags import BPF_F_REPLACE
from ebee.linux.info import Info, object_info, open_id, open_pinned, pin
from ebee.linux.sys import Fd, call, open_fd
from ebee.obj import handles

if TYPE_CHECKING:
    from ebee.linux.programs import LinuxProgram

LINK_TYPE_NAMES = {number: name for name, number in uapi.LINK_TYPES.items()}

# What the info of a type of link points to: (field, field with the count, bytes of each; 1: text).
# Their number is asked for first, then they themselves.
BUFFERS: dict[str, tuple[tuple[str, str, int], ...]] = {
    "raw_tracepoint": (("tp_name", "tp_name_len", 1),),
    "iter": (("target_name", "target_name_len", 1),),
    "kprobe_multi": (("addrs", "count", 8), ("cookies", "count", 8)),
    "uprobe_multi": (
        ("path", "path_size", 1),
        ("offsets", "count", 8),
        ("ref_ctr_offsets", "count", 8),
        ("cookies", "count", 8),
    ),
}
# A perf event's, by enum bpf_perf_event_type: its name, the prefix of its fields, its text.
PERF_EVENTS = {
    1: ("uprobe", "uprobe_", "file_name"),
    2: ("uretprobe", "uprobe_", "file_name"),
    3: ("kprobe", "kprobe_", "func_name"),
    4: ("kretprobe", "kprobe_", "func_name"),
    5: ("tracepoint", "tracepoint_", "tp_name"),
    6: ("event", "event_", ""),
}
PATH_MAX = 4096


class HasFd(Protocol):
    """A program or map, or a handle of one."""

    name: str

    @property
    def fd(self) -> Fd: ...


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

        An "xdp" link has `ifindex`, a "cgroup" link `cgroup_id` and `attach_type`, a "perf_event"
        link `event` ("kprobe", "uretprobe", ...; since Linux 6.6) and what that has, ...
        """
        raw = object_info(self.fd, "link")
        kind = LINK_TYPE_NAMES.get(raw.type, str(raw.type))
        prefix = kind + "_"
        if kind == "perf_event":
            event, part, text = PERF_EVENTS.get(raw.get("perf_event_type", 0), ("", "-", ""))
            prefix += part
            raw = _with_text(self.fd, raw, prefix, text) if text else raw
            raw[f"{prefix}event"] = event
        elif kind in BUFFERS:
            raw = _with_buffers(self.fd, raw, prefix, BUFFERS[kind])
        own = {k.removeprefix(prefix): v for k, v in raw.items() if k.startswith(prefix)}
        if "type" in own:  # a counter's
            own["event_type"] = own.pop("type")
        return Info({"type": kind, "id": raw.id, "prog_id": raw.prog_id, **own})

    @property
    def closed(self) -> bool:
        """Whether this handle has been given up."""
        return self.fd.closed

    def update(self, program: HasFd, replace: HasFd | None = None) -> None:
        """Put another program in the place of the attached one, without a gap.

        With `replace` only if that is the one attached now. Not all links can: XDP, cgroup, tcx,
        netns, iterators and others can; struct_ops links take a map. Since Linux 5.7.
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
                errno.EOPNOTSUPP: "this type of link cannot be updated",
                ENOTSUPP: "this type of link cannot be updated",
            }
            if replace is not None:
                why[errno.EPERM] = f"another program than {replace.name!r} is attached"
            doing = f"update the link to {self.target} with {program.name!r}"
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


class Links(Link):
    """Several links of one program that live and end together, as on the events of all CPUs."""

    def __init__(self, parts: Sequence[Link], target: str):
        super().__init__(parts[0].fd, target)
        self.parts = tuple(parts)

    def info(self) -> Info:
        """That of the first, and `links`: those of all."""
        infos = [part.info() for part in self.parts]
        return Info({**infos[0], "links": infos})

    def update(self, program: HasFd, replace: HasFd | None = None) -> None:
        """Update them one after the other; see Link.update."""
        for part in self.parts:
            part.update(program, replace)

    def detach(self) -> None:
        """Detach them all."""
        for part in self.parts:
            part.detach()

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Make a folder of that name in a BPF file system, and pin them there as 0, 1, ..."""
        try:
            os.mkdir(path)
        except OSError as error:
            raise KernelError(f"cannot make {path}: {error.strerror}", error.errno or 0) from None
        made: list[str] = []
        try:
            for number, part in enumerate(self.parts):
                part.pin(name := os.path.join(path, str(number)))
                made.append(name)
        except KernelError:
            for name in made:
                os.unlink(name)
            os.rmdir(path)
            raise

    def close(self) -> None:
        """Give up all the handles."""
        for part in self.parts:
            part.close()


class Guarded(Link):
    """A link with something that must be done once it is gone."""

    def __init__(self, inner: Link, after: Callable[[], None], target: str = ""):
        super().__init__(inner.fd, target or inner.target)
        self._inner, self._after = inner, after
        self._owner = os.getpid()

    def info(self) -> Info:
        """See Link.info."""
        return self._inner.info()

    def update(self, program: HasFd, replace: HasFd | None = None) -> None:
        """See Link.update."""
        self._inner.update(program, replace)

    def detach(self) -> None:
        """See Link.detach."""
        self._inner.detach()

    def pin(self, path: str | os.PathLike[str]) -> None:
        """See Link.pin."""
        self._inner.pin(path)

    def close(self) -> None:
        """Give up this handle, and do what comes after; in a fork, only the first."""
        if not self.closed:
            self._inner.close()
            if self._owner == os.getpid():
                self._after()

    def __del__(self) -> None:
        if hasattr(self, "_after"):
            self.close()


def all_of(parts: Iterable[Link], target: str) -> Link:
    """One link for those that an iterator makes; if it fails, those made before are closed."""
    made: list[Link] = []
    try:
        for link in parts:
            made.append(link)
    except BaseException:
        for link in made:
            link.close()
        raise
    return made[0] if len(made) == 1 else Links(made, target)


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


def _with_buffers(fd: Fd, raw: Info, prefix: str, wanted: Iterable[tuple[str, str, int]]) -> Info:
    """An info with the texts (str) and tables (list of numbers) that it points to."""
    buffers: dict[str, Any] = {}
    for field, count, size in wanted:
        if raw.get(prefix + field) is not None and raw.get(prefix + count):
            room = raw[prefix + count] * size
            buffers[prefix + field] = bytearray(room + (size == 1))
            buffers[prefix + count] = raw[prefix + count] + (size == 1)
    if not buffers:
        return raw
    raw = object_info(fd, "link", **buffers)
    for field, _, size in wanted:
        if isinstance(room := buffers.get(prefix + field), bytearray):
            raw[prefix + field] = _text(room) if size == 1 else array("Q", room).tolist()
    return raw


def _with_text(fd: Fd, raw: Info, prefix: str, field: str) -> Info:
    """An info with a text whose length older kernels do not tell beforehand."""
    room = bytearray(PATH_MAX)
    raw = object_info(fd, "link", **{prefix + field: room, f"{prefix}name_len": len(room)})
    raw[prefix + field] = _text(room)
    raw.pop(f"{prefix}name_len", None)
    return raw


def _text(room: bytearray) -> str:
    return room.partition(b"\0")[0].decode(errors="replace")
