"""Mutated objects give a spec or one of ebee's own errors, in bounded time; never anything else.

3,000 inputs of a fixed seed; `scripts/fuzz.py objects` (`make fuzz`) tries 100,000 or more. Memory
is bounded for the process.
"""

import random
import resource
import struct
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ebee import clang
from ebee.btf import BtfBuilder, Int
from ebee.errors import CompileError, EbeeError
from ebee.isa import Insn
from ebee.obj import (
    FunctionSpec,
    Line,
    MapSpec,
    ObjectSpec,
    ProgramSpec,
    Ref,
    elf,
    link,
    read,
    write,
)

pytestmark = pytest.mark.unit

COUNT = 3000
SECONDS = 5.0
NO_WORDS = "an error without words"
HEADROOM = 512 << 20
"""How much memory the process may take while objects are read, beyond what it has."""
MEMORY = 64 << 20
NAMES = (
    "maps", "globals", "subprogs", "core", "externs", "tailcalls", "custom_bss", "optional",
    "loops",
)  # fmt: skip
SOURCES = Path(__file__).parents[1] / "fixtures" / "c"
LARGE = 1 << 20
"""Bytes: variables beyond are not looked at. (Of .bss no byte is in the file.)"""
EDGES = (
    0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
)  # fmt: skip
EXTRA = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct ops { int (*one)(void *ctx); int number; int (*two)(void *ctx); };
SEC("struct_ops") int first(void *ctx) { return 0; }
SEC("struct_ops/two") int second(void *ctx) { return 1; }
SEC(".struct_ops.link") struct ops table = { .one = (void *)first, .number = 5, .two = second };
SEC("?.struct_ops") struct ops other = { .one = (void *)first };
struct { __uint(type, 33 /* arena */); __uint(max_entries, 4); } arena SEC(".maps");
int __attribute__((address_space(1))) there = 7;
__attribute__((noinline)) int caught(unsigned long cookie) { return cookie; }
SEC("?fentry/module:function") int unloaded(void *ctx) { return there; }
__attribute__((btf_decl_tag("exception_callback:caught")))
SEC("tc") int thrower(void *ctx) { return 1; }
char LICENSE[] SEC("license") = "GPL";
"""


def handmade(endian: elf.Endian) -> bytes:
    """A small object with maps, data, a call and lines, without a compiler's help."""
    spec = ObjectSpec("hand", license="GPL", endian=endian)
    leaf = FunctionSpec("leaf", ".text", [Insn(0x95)], [], [Line(0, "a.c", 1, 1, "leaf")])
    spec.functions["leaf"] = leaf
    insns = [
        Insn(0x85, 0, 1, 0, -1),
        Insn(0x18, 1, 1),
        Insn(0),
        Insn(0x18, 2, 2),
        Insn(0),
        Insn(0x95),
    ]
    refs = [Ref(0, "call", "leaf"), Ref(1, "map", "table"), Ref(3, "data", ".data", 4)]
    spec.programs["main"] = ProgramSpec("main", "xdp", insns, refs, hook="xdp")
    spec.maps["table"] = MapSpec("table", "array", 4, 8, 2)
    spec.maps[".data"] = MapSpec(".data", "array", 4, 8, 1, data=bytes(8))
    return write(spec)


def legacy() -> bytes:
    """Maps without BTF, of libbpf's and of iproute2's kind, and a program that uses one."""
    made = elf.ElfWriter()
    flags = elf.SHF_ALLOC | elf.SHF_WRITE
    text = bytes.fromhex("18010000000000000000000000000000 b700000002000000 9500000000000000")
    code = elf.NewSection("xdp", text, flags=elf.SHF_ALLOC | elf.SHF_EXECINSTR)
    made.section(code)
    made.symbol(elf.NewSymbol("f", code, 0, 32, elf.STB_GLOBAL, elf.STT_FUNC))
    for section, words in (("maps", (1, 4, 8, 16, 1)), ("maps/two", (13, 4, 4, 4, 0, 7, 2, 8, 0))):
        data = struct.pack(f"<{len(words)}I", *words)
        where = made.section(elf.NewSection(section, data, flags=flags))
        symbol = made.symbol(elf.NewSymbol(section[-3:], where, 0, len(data), type=elf.STT_OBJECT))
        if section == "maps":
            made.reloc(code, 0, elf.R_BPF_64_64, symbol)
    return made.build()


def samples() -> list[bytes]:
    found = [handmade("little"), handmade("big"), legacy()]
    try:
        clang.find()
    except CompileError:
        return found
    with tempfile.TemporaryDirectory() as folder:
        extra = Path(folder, "extra.c")
        extra.write_text(EXTRA)
        paths = [SOURCES / f"{name}.c" for name in NAMES]
        for path in (*paths, extra):
            content = clang.compile(path).content
            found += [content, write(read(content))]  # the second is smaller: no DWARF
    found.append(clang.compile(SOURCES / "maps.c", clang.Options(endian="big")).content)
    return found


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Within it whoever wants too much gets a MemoryError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + HEADROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def interesting(data: bytes) -> list[tuple[int, int]]:
    """(offset, length) of what the reader looks at: the headers, the tables, .BTF, .maps, code."""
    file = elf.read(data)
    order = "<" if file.endian == "little" else ">"
    headers = struct.unpack_from(order + "Q", data, 0x28)[0]
    found = [(0, 64), (headers, 64 * len(file.sections))]
    for section in file.sections:
        at = struct.unpack_from(order + "Q", data, headers + 64 * section.index + 0x18)[0]
        if len(section.data) and not section.name.startswith((".debug", ".rel.debug")):
            found.append((at, len(section.data)))
    return found


def mutate(random_: random.Random, data: bytes, places: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for _ in range(random_.choice((1, 1, 1, 2, 3, 8))):
        start, length = random_.choice(places)
        at = min(start + random_.randrange(length), len(changed) - 1)
        match random_.randrange(6):
            case 0:
                changed[at] ^= 1 << random_.randrange(8)
            case 1:
                changed[at] = random_.randrange(256)
            case 2:
                at &= ~3
                changed[at : at + 4] = struct.pack("<I", random_.choice(EDGES))
            case 3:
                at &= ~7
                changed[at : at + 8] = struct.pack(
                    "<Q", random_.choice(EDGES) << random_.choice((0, 16, 32))
                )
            case 4:
                other, size = random_.choice(places)
                size = random_.randrange(min(size, 64) + 1)
                changed[at : at + size] = changed[other : other + size]
            case 5:
                if random_.randrange(8) == 0:
                    del changed[random_.randrange(len(changed)) :]
                else:
                    changed[at : at + 8] = bytes(8)
        if not changed:
            break
    return bytes(changed)


def use(data: bytes) -> str:
    """All that is done with an object short of running it; the kind of outcome."""
    try:
        spec = read(data)
        for program in spec.programs:
            link(spec, program)
        for variable in spec.variables.values():
            if variable.size <= LARGE:
                variable.value  # noqa: B018
        read(write(spec))
    except EbeeError as error:
        return type(error).__name__ if str(error) else NO_WORDS
    return "fine"


Original = tuple[bytes, list[tuple[int, int]]]


def originals() -> list[Original]:
    """What mutations start from."""
    return [(data, interesting(data)) for data in samples()]


def attempt(known: list[Original], seed: str, number: int) -> str:
    """Use a mutation; the kind of outcome. What it raises beside that is a finding, and then the
    input is kept in the folder for temporary files."""
    rng = random.Random(f"{seed}/{number}")
    data = mutate(rng, *rng.choice(known))
    begun = time.process_time()
    try:
        with bounded_memory():
            outcome = use(data)
        assert outcome != NO_WORDS
        assert time.process_time() - begun < SECONDS, f"input {number} took too long"
    except BaseException:
        Path(tempfile.gettempdir(), f"ebee-fuzz-{number}.o").write_bytes(data)
        raise
    return outcome


def test_mutated_objects_are_taken_or_refused() -> None:
    known = originals()
    outcomes = Counter(attempt(known, "everyday", number) for number in range(COUNT))
    assert outcomes["fine"] > COUNT // 20  # the mutations leave something to look at
    assert outcomes["ObjectError"] > COUNT // 20


def bounded(data: bytes) -> str:
    """The outcome of an input that must not take memory out of proportion."""
    tracemalloc.start()
    try:
        outcome = use(data)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
        return outcome
    finally:
        tracemalloc.stop()


def test_many_symbols_and_types_stay_in_proportion() -> None:
    spec = ObjectSpec("big")
    for n in range(1500):
        name = f"f{n}{'x' * 200}"
        spec.functions[name] = FunctionSpec(name, ".text", [Insn(0x95)])
        spec.maps[f"m{n}"] = MapSpec(f"m{n}", "array", 4, n + 1, n + 1)
    assert bounded(write(spec)) == "fine"


def test_many_sections_beside_many_types_take_no_long_time() -> None:
    """Looking each section up in the BTF's strings one by one would take a minute."""
    spec = ObjectSpec("big")
    builder = BtfBuilder()
    for n in range(20_000):
        builder.add(Int(f"{n}{'x' * 40}", 4))
        spec.maps[f".bss.{n}"] = MapSpec(f".bss.{n}", "array", 4, 8, 1)
    spec.btf = builder.build()
    data = write(spec)
    begun = time.process_time()
    assert len(read(data).maps) == 20_000
    assert time.process_time() - begun < SECONDS


def test_lines_within_one_long_text_stay_in_proportion() -> None:
    text, count = "x" * 60_000, 3000
    lines = [Line(at, "a.c", 1, 1, text) for at in range(count)]
    spec = ObjectSpec("big")
    insns = [Insn(0xB7)] * count + [Insn(0x95)]
    spec.programs["main"] = ProgramSpec("main", "xdp", insns, [], lines, hook="xdp")
    data = bytearray(write(spec))
    assert bounded(bytes(data)) == "fine"
    ext = elf.read(bytes(data)).find(".BTF.ext")
    assert ext
    start = bytes(data).index(bytes(ext.data)) + 32 + 4 + 8  # header, record size, section
    for at in range(count):  # each at another place in the text: 90 MB, were they all made
        place = start + 16 * at + 8
        struct.pack_into("<I", data, place, struct.unpack_from("<I", data, place)[0] + at)
    assert bounded(bytes(data)) == "BtfError"
