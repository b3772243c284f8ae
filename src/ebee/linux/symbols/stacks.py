"""Stack traces: numbers from maps and buffers, made into frames with names.

names = Symbolizer()
for frame in names.stack(obj.maps["stacks"].raw, stack_id, pid=pid):
    print(frame)
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from typing import NamedTuple

from ebee.errors import KernelError
from ebee.linux.maps import LinuxMap
from ebee.linux.symbols.kernel import KernelSymbols
from ebee.linux.symbols.user import Frame, Images, ProcessSymbols
from ebee.linux.uapi import BPF_F_STACK_BUILD_ID

ENTRY = struct.Struct("=i20sQ")
"""struct bpf_stack_build_id: status, build id, offset in the file or address."""
BUILD_ID_VALID, BUILD_ID_IP = 1, 2


class FileAddress(NamedTuple):
    """A user address as a kernel with BPF_F_STACK_BUILD_ID tells it: the file's build id (or b""),
    and the offset in the file (or the address itself)."""

    build_id: bytes
    offset: int


def addresses(raw: bytes) -> list[int]:
    """The addresses of a stack, innermost first, as get_stack() writes them: u64s, up to a 0."""
    found = [n for (n,) in struct.iter_unpack("=Q", raw[: len(raw) & ~7])]
    return found[: found.index(0)] if 0 in found else found


def file_addresses(raw: bytes) -> list[FileAddress]:
    """The same for stacks of build ids (BPF_F_STACK_BUILD_ID, BPF_F_USER_BUILD_ID)."""
    found = []
    for status, build_id, offset in ENTRY.iter_unpack(raw[: len(raw) - len(raw) % ENTRY.size]):
        if status == BUILD_ID_VALID:
            found.append(FileAddress(build_id, offset))
        elif status == BUILD_ID_IP:
            found.append(FileAddress(b"", offset))
        else:
            break
    return found


class Symbolizer:
    """Names for addresses of the kernel and of processes; what it has read it keeps.

    Processes are looked at when their first address is asked for: while they live. `lines`: whether
    to look for lines of source.
    """

    def __init__(self, *, lines: bool = True):
        self.lines = lines
        self.images = Images()
        self._processes: dict[int, ProcessSymbols | None] = {}

    @cached_property
    def _kernel(self) -> KernelSymbols:
        return KernelSymbols.load()

    def forget(self, pid: int | None = None) -> None:
        """Forget a process (its number may be another's by now), or everything that may change."""
        if pid is not None:
            self._processes.pop(pid, None)
            return
        self._processes.clear()
        self.__dict__.pop("_kernel", None)

    def kernel(self, addresses: Iterable[int]) -> list[Frame]:
        """Frames of the kernel; without names where it hides its addresses."""
        return [self._kernel_frame(address) for address in addresses]

    def _kernel_frame(self, address: int) -> Frame:
        try:
            found = self._kernel.at(address)
        except KernelError:
            return Frame(address)
        if found is None:
            return Frame(address)
        symbol, offset = found
        return Frame(address, symbol.name, offset, symbol.module)

    def process(self, pid: int) -> ProcessSymbols | None:
        """A process; None when it has ended before anything of it was known."""
        if pid not in self._processes:
            try:
                self._processes[pid] = ProcessSymbols(pid, self.images)
            except KernelError as error:
                if error.errno != errno.ESRCH:
                    raise
                self._processes[pid] = None
        return self._processes[pid]

    def user(self, pid: int, addresses: Iterable[int]) -> list[Frame]:
        """Frames of a process; without names when it has ended."""
        process = self.process(pid)
        if process is None:
            return [Frame(address) for address in addresses]
        wanted = list(addresses)
        if any(process.mapping(address) is None for address in wanted):
            process.refresh()
        return [process.frame(address, lines=self.lines) for address in wanted]

    def files(self, found: Iterable[FileAddress]) -> list[Frame]:
        """Frames of build ids: of files that this has seen, or whose debug files are installed."""
        return [self._file_frame(each) for each in found]

    def _file_frame(self, each: FileAddress) -> Frame:
        image = self.images.by_build_id(each.build_id) if each.build_id else None
        place = image.image.address_at(each.offset) if image is not None else None
        if image is None or place is None:
            return Frame(each.offset, module=each.build_id.hex())
        name, behind = image.function(place) or ("", 0)
        source = image.source(place) if self.lines else None
        return Frame(each.offset, name, behind, image.image.name, source)

    def stack(self, stacks: LinuxMap, number: int, pid: int | None = None) -> list[Frame]:
        """A stack of a stack_trace map by the number that get_stackid() gave, innermost first.

        `pid`: the process whose user stack it is; None for a kernel stack. A number below 0 is the
        error that the program got instead, and a KernelError here.
        """
        number -= (number >> 63 == 1) << 64  # one below 0, read as an u64
        if number < 0:
            why = {errno.EFAULT: "there was no user stack", errno.EEXIST: "its bucket was taken"}
            text = why.get(-number, errno.errorcode.get(-number, str(number)))
            raise KernelError(f"the program got no stack: {text}", -number)
        raw = stacks.lookup(number.to_bytes(4, "little"))
        if raw is None:
            raise KernelError(f"map {stacks.name} has no stack {number}", errno.ENOENT)
        if stacks.flags & BPF_F_STACK_BUILD_ID:
            return self.files(file_addresses(raw))
        return self.kernel(addresses(raw)) if pid is None else self.user(pid, addresses(raw))


def all_stacks(stacks: LinuxMap) -> Iterator[int]:
    """The numbers of the stacks that a stack_trace map holds."""
    return map(partial(int.from_bytes, byteorder="little"), stacks.keys())
