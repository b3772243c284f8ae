"""What several ways of attaching use."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from typing import Any

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.attachments import Attachment
from ebee.linux.errors import refused
from ebee.linux.flags import BPF_F_AFTER, BPF_F_BEFORE, BPF_F_ID
from ebee.linux.links import Link, attach_error
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd, call
from ebee.linux.uapi import BPF_F_LINK

ATTACH_TYPE_NAMES = {number: name for name, number in uapi.ATTACH_TYPES.items()}


def opened(path: str, flags: int = 0) -> Fd:
    """A file or folder opened for reading, to be named to the kernel by its descriptor."""
    try:
        return Fd(os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags))
    except OSError as error:
        raise KernelError(f"cannot open {path}: {error.strerror}", error.errno or 0) from None


def attach_type_of(program: LinuxProgram, given: str | None, family: str) -> str:
    """The attach type: the one given, else the one that the program was loaded for. `family`: a
    word that its name holds ("cgroup", "sk_")."""
    names = [name for name in uapi.ATTACH_TYPES if family in name]
    if given is None and program.attach_type is not None:
        given = ATTACH_TYPE_NAMES.get(program.attach_type)
    if given in names:
        return given
    doing = f"cannot attach program {program.name!r} ({program.type})"
    if given is None:
        raise KernelError(f"{doing}: it does not say for which attach type; give attach_type=")
    raise KernelError(f"{doing}: {given!r} is no {family} attach type; {', '.join(names)}")


def anchor(prefix: str, before: Any, after: Any, revision: int) -> dict[str, Any]:
    """The fields that say where in a list of programs a new one goes; `prefix`: of their names.

    `before`, `after`: a program or link (handle), a program's id, or True for the very beginning
    or end; `revision`: only if the list is still at this revision (query tells).
    """
    if before is not None and after is not None:
        raise KernelError("a program goes before= or after= another, not both")
    fields: dict[str, Any] = {}
    other = before if before is not None else after
    if other is not None:
        flags = BPF_F_BEFORE if before is not None else BPF_F_AFTER
        held = getattr(other, "raw", other)
        if other is not True:
            if isinstance(held, int):
                fields[f"{prefix}relative_id"] = held
                flags |= BPF_F_ID
            elif isinstance(held, LinuxProgram | Link):
                fields[f"{prefix}relative_fd"] = held.fd
                flags |= BPF_F_LINK if isinstance(held, Link) else 0
            else:
                raise KernelError(f"before= and after= take a program, a link or an id: {other!r}")
        fields["flags"] = flags
    if revision:
        fields[f"{prefix}expected_revision"] = revision
    return fields


AT_AN_ANCHOR = {
    errno.ESTALE: "the list of programs has changed meanwhile (expected_revision)",
    errno.ENOENT: "the program that it was to stand next to is not attached there",
    errno.ERANGE: "there is no room for more programs, or the place is not where it was expected",
    errno.EEXIST: "this program is attached there already",
}
"""What the errnos of attaching into a list mean."""


def without_link(
    program: LinuxProgram,
    target: str,
    place: Mapping[str, Any],
    how: Mapping[str, Any],
    swap: Callable[[Fd], Mapping[str, Any]],
    why: Mapping[int, str],
    since: str,
    inside: Callable[[Callable[[], Any]], Any] = lambda act: act(),
    **facts: int | str,
) -> Attachment:
    """BPF_PROG_ATTACH, whose program stays until it is detached.

    `place`: the fields that say where; a descriptor among them is closed with the attachment.
    `how`: further fields; `swap`: those for taking the place of a program. `inside`: does things in
    the network namespace where they belong.
    """

    def close() -> None:
        for value in place.values():
            if isinstance(value, Fd):
                value.close()

    def put(fd: Fd, how: Mapping[str, Any]) -> None:
        try:
            inside(lambda: call("PROG_ATTACH", attach_bpf_fd=fd, **place, **how))
        except OSError as error:
            needs = ("CAP_BPF", "CAP_NET_ADMIN")
            raise attach_error(error, program, target, why, since, needs) from None

    def undo(own: Fd) -> None:
        try:
            inside(lambda: call("PROG_DETACH", attach_bpf_fd=own, **place))
        except OSError as error:
            reason = "it is not there any more" if error.errno == errno.ENOENT else ""
            raise refused(error, f"detach from {target}", reason) from None
        finally:
            close()

    try:
        put(program.fd, how)
    except KernelError:
        close()
        raise
    return Attachment(
        program, target, "attach", undo, lambda own, new: put(new, swap(own)), **facts
    )
