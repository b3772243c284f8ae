"""What several ways of attaching use."""

from __future__ import annotations

import os
from typing import Any

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.flags import BPF_F_AFTER, BPF_F_BEFORE, BPF_F_ID
from ebee.linux.links import Link
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd
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
    """The fields of BPF_LINK_CREATE that say where in a list of programs the new one goes.

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
                fields[f"{prefix}_relative_id"] = held
                flags |= BPF_F_ID
            elif isinstance(held, LinuxProgram | Link):
                fields[f"{prefix}_relative_fd"] = held.fd
                flags |= BPF_F_LINK if isinstance(held, Link) else 0
            else:
                raise KernelError(f"before= and after= take a program, a link or an id: {other!r}")
        fields["flags"] = flags
    if revision:
        fields[f"{prefix}_expected_revision"] = revision
    return fields


ANCHOR_ERRORS = {
    "ESTALE": "the list of programs has changed meanwhile (expected_revision)",
    "ENOENT": "the program that it was to stand next to is not attached there",
    "ERANGE": "there is no room for more programs, or the place is not where it was expected",
    "EEXIST": "this program is attached there already",
}
