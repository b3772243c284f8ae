"""Attaching to USDT markers, for programs that fetch arguments with libbpf's usdt.bpf.h.

That header has two maps: how to fetch the arguments of a place, by a number (its "spec"), and,
where the kernel knows no cookies, that number by the address of the place in the process.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from ebee.errors import KernelError
from ebee.linux import uapi, usdt
from ebee.linux.attach.perf_events import Mode
from ebee.linux.attach.uprobes import uprobe, uprobe_multi
from ebee.linux.errors import older_than
from ebee.linux.links import Guarded, Link, all_of
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram
from ebee.linux.symbols.elf import ET_EXEC, Image
from ebee.linux.symbols.files import binary

SPECS, BY_ADDRESS = "__bpf_usdt_specs", "__bpf_usdt_ip_to_spec_id"


def usdt_marker(
    program: LinuxProgram,
    path: str,
    *,
    provider: str = "",
    name: str = "",
    pid: int = -1,
    cookie: int = 0,
    mode: Mode = "auto",
    maps: Mapping[str, LinuxMap],
) -> Link:
    """Attach to all places of a marker. Since Linux 4.20.

    `path`: as for a uprobe; "PATH:PROVIDER:NAME" says all three. `pid`: only in that process (0:
    this one). `cookie`: what bpf_usdt_cookie() gives. The object has the maps of usdt.bpf.h.
    """
    pid = os.getpid() if pid == 0 else pid
    if not name and path.count(":") >= 2:
        path, provider, name = path.rsplit(":", 2)
    if not name:
        raise KernelError(f"no marker of {path} is named: give PATH:PROVIDER:NAME or name=")
    file = binary(path, pid)
    image = Image.open(file)
    found = usdt.find(image, provider, name)
    table = Specs.of(maps, program)
    numbers: list[int] = []
    try:
        for marker in found:
            numbers.append(table.take(usdt.arguments(marker.arguments, image.machine), cookie))
        multi = program.attach_type == uapi.ATTACH_TYPES["trace_uprobe_multi"]
        by_address = not multi and (mode in ("ioctl", "tracefs") or older_than("5.15"))
        addresses = _addresses(image, found, file, pid) if by_address else []
        for place, number in zip(addresses, numbers, strict=False):
            table.locate(place, number)
        offsets = [_offset(image, m.address) for m in found]
        counters = [_offset(image, m.semaphore) if m.semaphore else 0 for m in found]
        options: dict[str, Any] = {"pid": pid}
        target = f"marker {path}:{found[0].provider}:{name}"
        if multi:
            link = uprobe_multi(program, file, offsets=offsets, semaphores=counters,
                                cookies=numbers, **options)  # fmt: skip
        else:
            places = zip(
                offsets, counters, [0] * len(found) if by_address else numbers, strict=True
            )
            link = all_of(
                (
                    uprobe(program, file, offset=o, semaphore=c, cookie=n, mode=mode, **options)
                    for o, c, n in places
                ),
                target,
            )
    except BaseException:
        table.give_back(numbers)
        raise
    return Guarded(link, partial(table.give_back, numbers, addresses), target)


def _offset(image: Image, address: int) -> int:
    found = image.file_offset(address)
    if found is None:
        raise KernelError(f"{image.name}: a marker's address {address:#x} is not in the file")
    return found


def _addresses(image: Image, found: Iterable[usdt.Marker], file: str, pid: int) -> list[int]:
    """Where the places are in the process; without cookies the program knows them only so."""
    if image.type == ET_EXEC:
        return [marker.address for marker in found]
    if pid == -1:
        raise KernelError(
            f"markers of {file}, which is loaded anywhere, take pid= or cookies (Linux 5.15)",
            errno.EOPNOTSUPP,
        )
    wanted = os.stat(file)
    places = []
    for line in Path(f"/proc/{pid}/maps").read_text(errors="surrogateescape").splitlines():
        fields = line.split(maxsplit=5)
        if int(fields[4]) == wanted.st_ino and "x" in fields[1]:
            start, end = (int(n, 16) for n in fields[0].split("-"))
            moved = start - int(fields[2], 16)
            inside = (moved + _offset(image, marker.address) for marker in found)
            places += [place for place in inside if place < end]
    if not places:
        raise KernelError(f"process {pid} has not mapped {file}", errno.ESRCH)
    return places


class Specs:
    """The specs of an object's maps: which numbers are taken, and by how many."""

    _all: WeakKeyDictionary[LinuxMap, Specs] = WeakKeyDictionary()

    def __init__(self, specs: LinuxMap, by_address: LinuxMap | None):
        self._specs, self._places = specs, by_address
        self._numbers: dict[bytes, int] = {}
        self._users: dict[bytes, int] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, maps: Mapping[str, LinuxMap], program: LinuxProgram) -> Specs:
        """Those of an object's maps; KernelError when it does not have them."""
        specs = maps.get(SPECS)
        if specs is None:
            text = "it does not include <bpf/usdt.bpf.h>, whose maps say how to fetch arguments"
            raise KernelError(f"cannot attach program {program.name!r} to a marker: {text}")
        if specs not in cls._all:
            cls._all[specs] = cls(specs, maps.get(BY_ADDRESS))
        return cls._all[specs]

    def take(self, arguments: list[usdt.Argument], cookie: int) -> int:
        """The number of a spec, written to the map; the same one for equal specs."""
        value = usdt.pack(arguments, cookie, self._specs.value_size)
        with self._lock:
            number = self._numbers.get(value)
            if number is None:
                used = set(self._numbers.values())
                number = next((n for n in range(self._specs.max_entries) if n not in used), None)
                if number is None:
                    raise KernelError(
                        f"map {SPECS} is full: define BPF_USDT_MAX_SPEC_CNT larger than"
                        f" {self._specs.max_entries}"
                    )
                self._specs.update(number.to_bytes(4, sys.byteorder), value)
                self._numbers[value] = number
            self._users[value] = self._users.get(value, 0) + 1
            return number

    def locate(self, address: int, number: int) -> None:
        """Note the number for an address of the process."""
        if self._places is not None:
            key = address.to_bytes(8, sys.byteorder)
            self._places.update(key, number.to_bytes(4, sys.byteorder))

    def give_back(self, numbers: Iterable[int], addresses: Iterable[int] = ()) -> None:
        """Free what a link had taken."""
        with self._lock:
            values = {number: value for value, number in self._numbers.items()}
            for number in numbers:
                value = values[number]
                self._users[value] -= 1
                if not self._users[value]:
                    del self._users[value], self._numbers[value]
        for address in addresses if self._places is not None else ():
            try:
                self._places.delete(address.to_bytes(8, sys.byteorder))  # type: ignore[union-attr]
            except KernelError as error:
                if error.errno not in (errno.ENOENT, errno.EBADF):
                    raise
