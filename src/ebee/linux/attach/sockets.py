"""Attaching to sockets and to maps of sockets."""

from __future__ import annotations

import errno
import socket as sockets
from typing import Any

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.attach.common import attach_type_of, without_link
from ebee.linux.attachments import Attachment
from ebee.linux.errors import older_than, refused
from ebee.linux.links import Link, attach_error, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd

# include/uapi/asm-generic/socket.h
SO_ATTACH_BPF, SO_DETACH_BPF = 50, 27
SO_ATTACH_REUSEPORT_EBPF, SO_DETACH_REUSEPORT_BPF = 52, 68


def socket(program: LinuxProgram, sock: Any) -> Attachment:
    """Attach a socket_filter program to a socket: what it returns is how many bytes of a packet are
    kept. Since Linux 3.19. The socket stays the caller's; a filter goes with its socket."""
    return _option(program, sock, "socket_filter", SO_ATTACH_BPF, SO_DETACH_BPF, "3.19")


def reuseport(program: LinuxProgram, sock: Any) -> Attachment:
    """Have a program choose the socket of a SO_REUSEPORT group, of which `sock` is one. A
    sk_reuseport program (Linux 4.19) chooses from a map; a socket_filter (4.5) returns an index.

    Taking it out is possible since Linux 5.3; before, it goes with the group.
    """
    options = SO_ATTACH_REUSEPORT_EBPF, SO_DETACH_REUSEPORT_BPF
    return _option(program, sock, "reuseport group", *options, "4.5")


def _option(
    program: LinuxProgram, sock: Any, what: str, attach: int, detach: int, since: str
) -> Attachment:
    known = ("socket_filter",) if attach == SO_ATTACH_BPF else ("socket_filter", "sk_reuseport")
    if program.type not in known:
        raise KernelError(f"a {program.type} program does not go to a {what} of a socket")
    if not hasattr(sock, "setsockopt"):
        raise KernelError(f"{program.name!r} is attached to a socket object, not to {sock!r}")
    target = f"socket {sock.fileno()} ({what})"
    why = {
        errno.EPERM: "the socket's filter is locked (SO_LOCK_FILTER)",
        errno.EINVAL: "the socket is in no SO_REUSEPORT group (set that, and bind it, first)"
        if attach == SO_ATTACH_REUSEPORT_EBPF
        else "",
        errno.ENOPROTOOPT: "this kernel cannot do that",
        errno.EBADF: "it is closed",
    }

    def put(fd: Fd) -> None:
        try:
            sock.setsockopt(sockets.SOL_SOCKET, attach, fd.fileno())
        except OSError as error:
            raise attach_error(error, program, target, why, since) from None

    def undo(own: Fd) -> None:
        if sock.fileno() < 0:
            raise KernelError(f"{target} is closed, the program gone with it", errno.ENOENT)
        try:
            sock.setsockopt(sockets.SOL_SOCKET, detach, 0)
        except OSError as error:
            reason = "there is none" if error.errno == errno.ENOENT else ""
            raise refused(error, f"take the program off {target}", reason, since="5.3") from None

    put(program.fd)
    return Attachment(program, target, "socket", undo, lambda own, new: put(new))


def sockmap(
    program: LinuxProgram, map: Any, attach_type: str | None = None, by: str = "auto"
) -> Link:
    """Attach a sk_skb or sk_msg program to a sockmap or sockhash, for the sockets that are put into
    it from then on. Since Linux 4.14 (sk_msg 4.17).

    `attach_type`: "sk_skb_stream_parser", "sk_skb_stream_verdict", "sk_skb_verdict" (Linux 5.13),
    "sk_msg_verdict"; by default what the program was loaded for. `by`: "link" (Linux 6.10),
    "attach" (the program stays until it is detached), "auto".
    """
    if by not in ("auto", "link", "attach"):
        raise KernelError(f"{by!r} is no way to attach to a map; there are: auto, link, attach")
    held = getattr(map, "raw", map)
    if getattr(held, "type", None) not in ("sockmap", "sockhash"):
        raise KernelError(f"program {program.name!r} goes to a sockmap or sockhash, not {map!r}")
    if program.type == "sk_msg":
        attach_type = attach_type or "sk_msg_verdict"
    name = attach_type_of(program, attach_type, "sk_")
    number = uapi.ATTACH_TYPES[name]
    target = f"map {held.name} ({name})"
    why = {
        errno.EOPNOTSUPP: "this attach type is none of socket maps, or needs CONFIG_BPF_STREAM"
        "_PARSER",
        errno.EINVAL: f"the program was not loaded for {name}",
        errno.EBUSY: "a link holds this place, or a program of another kind excludes this one",
    }
    if by == "link" or (by == "auto" and not older_than("6.10")):
        return create(program, target, {"target_fd": held.fd, "attach_type": number}, why, "6.10")
    place = {"target_fd": held.fd.dup(), "attach_type": number}
    return without_link(program, target, place, {}, lambda own: {}, why, "4.14", map_id=held.id)
