"""The kernel's BTF as loading looks things up in it: vmlinux first, then the modules.

A type is named to the kernel by the descriptor of the BTF it is in (none for vmlinux) and its id
there. Modules have BTF since Linux 5.11; it is looked at only for what vmlinux does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple, TypeVar

from ebee.btf import Btf
from ebee.btf.types import Type
from ebee.errors import EbeeError, KernelError
from ebee.linux import features
from ebee.linux.info import ids, object_info, open_id
from ebee.linux.sys import Fd

T = TypeVar("T", bound=Type)
NAME_SIZE = 64  # of a module (MODULE_NAME_LEN is 56)
VMLINUX = "vmlinux"


class Module:
    """A module's BTF in the kernel: its `name`, `fd`, and (read when it is first needed) types."""

    def __init__(self, name: str, fd: Fd, base: Btf):
        self.name, self.fd, self._base = name, fd, base

    @cached_property
    def btf(self) -> Btf:
        """Its types, on top of vmlinux's."""
        return Btf.module(self.name, self._base)


class Place(NamedTuple):
    """A type of the kernel: `btf` it is in, its `id`, the `module` it belongs to, if any."""

    btf: Btf
    id: int
    module: Module | None = None

    @property
    def fd(self) -> int:
        """The descriptor of its BTF, as the kernel wants it: 0 for vmlinux."""
        return self.module.fd.fileno() if self.module else 0


class KernelBtf:
    """What the running kernel and its modules are made of."""

    @cached_property
    def vmlinux(self) -> Btf:
        """The kernel's own types; BtfError when it publishes none."""
        return Btf.vmlinux()

    @cached_property
    def modules(self) -> list[Module]:
        """The modules that have BTF, in the order they were loaded."""
        return list(self._modules()) if features.has("BTF of modules") else []

    def _modules(self) -> Iterator[Module]:
        try:
            numbers = list(ids("btf"))
        except KernelError:  # not root: what vmlinux has must do
            return
        for number in numbers:
            try:
                fd = open_id("btf", number)
            except KernelError:  # gone meanwhile
                continue
            buffer = bytearray(NAME_SIZE)
            info = object_info(fd, "btf", name=buffer, name_len=NAME_SIZE)
            name = buffer.partition(b"\0")[0].decode(errors="replace")
            if info.get("kernel_btf") and name != VMLINUX:
                yield Module(name, fd, self.vmlinux)
            else:
                fd.close()

    def find(
        self, name: str, kind: type[Type] | tuple[type[Type], ...], module: str = ""
    ) -> Place | None:
        """Where a type is: in `module` ("vmlinux" too), or in the first BTF that has it."""
        if module in ("", VMLINUX):
            found = self.vmlinux.get(name, kind)
            if found is not None:
                return Place(self.vmlinux, found.id)
        for candidate in self.modules if module != VMLINUX else ():
            if module in ("", candidate.name):
                try:
                    btf = candidate.btf
                except EbeeError:  # unloaded meanwhile
                    continue
                found = next((btf.type(i) for i in _own(btf, name) if _is(btf, i, kind)), None)
                if found is not None:
                    return Place(btf, found.id, candidate)
        return None

    def module_types(self) -> Iterator[Btf]:
        """The BTF of each module, for CO-RE."""
        for module in self.modules:
            try:
                yield module.btf
            except EbeeError:
                continue

    def close(self) -> None:
        """Give the descriptors back; programs that need them hold the modules themselves."""
        for module in self.__dict__.pop("modules", []):
            module.fd.close()


def _own(btf: Btf, name: str) -> list[int]:
    """The types of that name which a module's BTF adds to vmlinux's."""
    return [number for number in btf.find_ids(name) if number >= btf.start_id]


def _is(btf: Btf, number: int, kind: type[Type] | tuple[type[Type], ...]) -> bool:
    return issubclass(btf.kind(number), kind)
