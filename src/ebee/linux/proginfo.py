"""What the kernel keeps of a loaded program: functions, source lines, machine code, statistics."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.linux.programs import LinuxProgram


class Line(NamedTuple):
    """A source line, and the instruction (a slot of xlated()) that it begins at."""

    slot: int
    file: str
    line: int
    column: int
    text: str


class Function(NamedTuple):
    """A function: its name, the first of its instructions (a slot of xlated()), its tag, and its
    machine code: address (0: hidden) and bytes."""

    name: str
    slot: int
    tag: str
    address: int
    code: bytes


class Statistics(NamedTuple):
    """`runs` and `nanoseconds` are counted while statistics are on (see enable_stats); `misses`:
    runs left out because the program was running on that CPU already; `verified`: instructions that
    the verifier looked at. None: this kernel does not say."""

    runs: int | None
    nanoseconds: int | None
    misses: int | None
    verified: int | None

    @property
    def mean(self) -> float:
        """Nanoseconds of a run; 0 when there was none."""
        return (self.nanoseconds or 0) / self.runs if self.runs else 0.0


def statistics(program: LinuxProgram) -> Statistics:
    """How often and how long a program ran. Since Linux 5.1; misses 5.12, verified 5.16."""
    info = program.info()
    return Statistics(*map(info.get, ("run_cnt", "run_time_ns", "recursion_misses",
                                      "verified_insns")))  # fmt: skip


def lines(program: LinuxProgram) -> list[Line]:
    """The source lines; empty for programs without line info. Since Linux 5.0."""
    return list(_lines(program))


def jited_lines(program: LinuxProgram) -> list[tuple[int, Line]]:
    """(address in the machine code, source line) where the compiler has noted that; empty when the
    program is not compiled, or its addresses are hidden. Since Linux 5.0."""
    raw = program.array("jited_line_info", "nr_jited_line_info", 8, "jited_line_info_rec_size")
    addresses = [at for (at,) in struct.iter_unpack("=Q", raw)]
    found = _lines(program)
    return [pair for pair in zip(addresses, found, strict=False) if pair[0]]


def functions(program: LinuxProgram) -> list[Function]:
    """The functions, the entry first; names come from BTF (since Linux 5.0)."""
    addresses = [at for (at,) in struct.iter_unpack(
        "=Q", program.array("jited_ksyms", "nr_jited_ksyms", 8))]  # fmt: skip
    sizes = [size for (size,) in struct.iter_unpack(
        "=I", program.array("jited_func_lens", "nr_jited_func_lens", 4))]  # fmt: skip
    raw = program.array("prog_tags", "nr_prog_tags", 8)
    tags = [raw[at : at + 8].hex() for at in range(0, len(raw), 8)]
    info, btf = program.info(), _btf(program)
    size = info.get("func_info_rec_size", 0)
    raw = b""
    if size:
        raw = program.array("func_info", "nr_func_info", size, "func_info_rec_size")
    places = [struct.unpack_from("=II", raw, at) for at in range(0, len(raw), size or 8)]
    code, start = program.jited(), 0
    found = []
    for n in range(max(len(addresses), len(places), 1)):
        slot, type_id = places[n] if n < len(places) else (0, 0)
        named = btf is not None and type_id
        name = getattr(btf.type(type_id), "name", "") if btf is not None and named else program.name
        length = sizes[n] if n < len(sizes) else len(code)
        tag = tags[n] if n < len(tags) else program.tag
        address = addresses[n] if n < len(addresses) else 0
        found.append(Function(name, slot, tag, address, code[start : start + length]))
        start += length
    return found


def _lines(program: LinuxProgram) -> Iterator[Line]:
    info, btf = program.info(), _btf(program)
    size = info.get("line_info_rec_size", 0)
    if btf is None or not size:
        return
    raw = program.array("line_info", "nr_line_info", size, "line_info_rec_size")
    for at in range(0, len(raw), size):
        slot, file, text, place = struct.unpack_from("=IIII", raw, at)
        yield Line(slot, btf.string(file), place >> 10, place & 0x3FF, btf.string(text))


def _btf(program: LinuxProgram) -> Btf | None:
    """The BTF that the program was loaded with."""
    number = program.info().get("btf_id", 0)
    if not number:
        return None
    from ebee.linux.held_btf import by_id

    return by_id(number)
