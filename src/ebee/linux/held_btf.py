"""The BTF that the kernel holds, by its number: vmlinux, modules, and what programs brought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from ebee.btf import Btf
from ebee.errors import KernelError
from ebee.linux.info import Info, Kind, ids, object_info, open_id

NAME_SIZE = 64
VMLINUX = "vmlinux"


class HeldBtf(NamedTuple):
    """One BTF of the kernel: `name` is "vmlinux", a module's, or "" for a program's; `size` in
    bytes; `kernel`: whether it describes the kernel itself."""

    id: int
    name: str
    size: int
    kernel: bool


def listing() -> Iterator[HeldBtf]:
    """All of them, ascending; what is unloaded meanwhile is left out. Needs CAP_SYS_ADMIN; since
    Linux 5.4."""
    for number in ids("btf"):
        try:
            yield _describe(_info(number)[0])
        except KernelError:
            continue


def users() -> defaultdict[tuple[str, int], list[int]]:
    """("prog" or "map", number of BTF) -> the numbers of the programs or maps that came with it."""
    found: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    kinds: tuple[Kind, ...] = ("prog", "map")
    for kind in kinds:
        for number in ids(kind):
            with suppress(KernelError), open_id(kind, number) as fd:  # or gone meanwhile
                if btf := object_info(fd, kind).get("btf_id"):
                    found[kind, btf].append(number)
    return found


def by_id(number: int) -> Btf:
    """The types of one, a module's on those of vmlinux. KernelError when there is none; needs
    CAP_SYS_ADMIN."""
    info, data = _info(number, read=True)
    found = _describe(info)
    base = Btf.vmlinux() if found.kernel and found.name != VMLINUX else None
    return Btf(data, base, name=found.name or f"BTF {number}")


def _info(number: int, read: bool = False) -> tuple[Info, bytes]:
    with open_id("btf", number) as fd:
        name = bytearray(NAME_SIZE)
        info = object_info(fd, "btf", name=name, name_len=NAME_SIZE)
        info["name"] = name.partition(b"\0")[0].decode(errors="replace")
        if not read:
            return info, b""
        data = bytearray(info.btf_size)
        object_info(fd, "btf", btf=data, btf_size=len(data))
        return info, bytes(data)


def _describe(info: Info) -> HeldBtf:
    kernel = bool(info.get("kernel_btf", 0))
    return HeldBtf(info.id, info["name"], info.btf_size, kernel)
