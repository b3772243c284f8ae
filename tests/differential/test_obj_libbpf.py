"""What ebee makes of an object is what libbpf sends to the kernel: maps, code, debug records.

bpftool loads each object with a preloaded library that writes down its bpf() calls.
"""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ebee import clang
from ebee.btf import Btf
from ebee.btf.core import POISON, Relocator
from ebee.isa import Insn, decode
from ebee.isa import insn as isa
from ebee.maps import by_name
from ebee.obj import Linked, ObjectSpec, Ref, link, load, write
from ebee.obj.core import relocate
from ebee.obj.data import F_MMAPABLE

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

FIXTURES = Path(__file__).parents[1] / "fixtures"
NAMES = (
    "maps",
    "subprogs",
    "globals",
    "tailcalls",
    "loops",
    "core",
    "externs",
    "headers",
    "optional",
)
PSEUDO_MAPS = (isa.PSEUDO_MAP_FD, isa.PSEUDO_MAP_VALUE)


@dataclass
class Loaded:
    """One program as libbpf loads it; `maps`: descriptor -> name at that time."""

    type: int
    flags: int
    attach_type: int
    insns: list[Insn]
    funcs: list[tuple[int, int]]
    lines: list[tuple[int, int]]
    maps: dict[int, str]


@dataclass
class Capture:
    """All that libbpf created for an object; maps as (type, key, value, entries, flags)."""

    maps: dict[str, tuple[int, ...]] = field(default_factory=dict)
    programs: dict[str, Loaded] = field(default_factory=dict)


@pytest.fixture(scope="module")
def preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library to preload into bpftool."""
    compiler = shutil.which("clang-19") or shutil.which("clang") or shutil.which("gcc")
    if not compiler or not shutil.which("bpftool"):
        pytest.skip("needs bpftool and a C compiler")
    made = tmp_path_factory.mktemp("capture") / "capture.so"
    source = FIXTURES / "host" / "capture_bpf.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
    return made


def records(text: str) -> list[bytes]:
    raw = b"" if text == "-" else bytes.fromhex(text)
    return [raw[at : at + 8] for at in range(0, len(raw), 8)]


def capture(content: bytes, folder: Path, bpffs: Path, preload: Path) -> Capture:
    """Load an object through bpftool and read what it did."""
    path, log = folder / "prog.o", folder / "bpf.log"
    path.write_bytes(content)
    log.unlink(missing_ok=True)
    env = {**os.environ, "LD_PRELOAD": str(preload), "EBEE_CAPTURE": str(log)}
    place = bpffs / "programs"
    subprocess.run(
        ["bpftool", "prog", "loadall", path, place], env=env, capture_output=True, text=True
    )
    shutil.rmtree(place, ignore_errors=True)
    found, current = Capture(), {}
    for line in log.read_text().splitlines():
        kind, *words = line.split(" ")
        if kind == "map":
            number, *numbers, name = words
            current[int(number)] = name
            found.maps[name] = tuple(map(int, numbers))
        else:
            lines = records(words[6])
            if words[3].startswith("libbpf_"):  # a probe
                continue
            found.programs[words[3]] = Loaded(
                *map(int, words[:3]),
                decode(bytes.fromhex(words[4])),
                [struct.unpack("II", r) for r in records(words[5])],
                [
                    (struct.unpack("II", lines[at])[0], struct.unpack("II", lines[at + 1])[1])
                    for at in range(0, len(lines), 2)
                ],
                dict(current),
            )
    return found


def kernel_name(name: str) -> str:
    """libbpf's name for a map: a data section's is preceded by the object's, cut to 15 bytes."""
    if name.startswith(".") and "." not in name[1:]:
        return ("prog"[: 15 - len(name)] + name)[:15]
    return name.replace("..", ".")[:15]


def with_names(insns: list[Insn], maps: dict[int, str]) -> list[tuple[object, ...]]:
    """Code with the names of maps in place of descriptors."""
    return [
        (*insn[:4], maps[insn.imm]) if insn.op == isa.LDDW and insn.src in PSEUDO_MAPS else insn
        for insn in map(unnumbered, insns)
    ]


def unnumbered(insn: Insn) -> Insn:
    """A poisoned instruction without the relocation's number, which each loader counts its way."""
    poisoned = insn.op == isa.JMP | isa.CALL and POISON <= insn.imm < POISON + 100
    return insn._replace(imm=POISON) if poisoned else insn


def as_sent(linked: Linked) -> list[tuple[object, ...]]:
    """Linked code in the same form; what only a kernel can tell stays open (None)."""
    insns: list[tuple[object, ...]] = list(map(unnumbered, linked.insns))
    for ref in linked.refs:
        insn = linked.insns[ref.slot]
        if ref.kind in ("map", "data"):
            insns[ref.slot] = (*insn[:4], kernel_name(ref.symbol))
            insns[ref.slot + 1] = Insn(0, imm=ref.addend)
    return insns


def kernels_own(refs: list[Ref]) -> Iterator[int]:
    """Slots whose content the running kernel decides: its functions and variables."""
    for ref in refs:
        if ref.kind in ("kfunc", "ksym", "kconfig"):
            yield from (ref.slot,) if ref.kind == "kfunc" else (ref.slot, ref.slot + 1)


@pytest.fixture
def bpffs(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "bpffs"
    path.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def check(spec: ObjectSpec, seen: Capture) -> None:
    """Whether libbpf's calls are what the spec says."""
    wanted = {name: p for name, p in spec.programs.items() if p.autoload}
    assert set(seen.programs) == set(wanted)
    relocator = Relocator(spec.btf, Btf.vmlinux()) if spec.btf else None
    for name, program in wanted.items():
        linked, sent = link(spec, name), seen.programs[name]
        assert relocator
        linked, _ = relocate(linked, relocator)
        ours, theirs = as_sent(linked), with_names(sent.insns, sent.maps)
        assert len(ours) == len(theirs), name
        for slot in kernels_own(linked.refs):
            ours[slot] = theirs[slot] = (linked.insns[slot].op, linked.insns[slot].dst)
        assert ours == theirs, name
        assert (sent.type, sent.flags, sent.attach_type) == (6, program.flags, program.attach_type)
        assert [(f.start, f.btf_id) for f in linked.funcs] == sent.funcs
        assert [(at, line << 10 | column) for at, _, line, column, _ in linked.lines] == sent.lines
    for name, made in spec.maps.items():
        declared = by_name(made.type)
        assert declared
        *sizes, flags = seen.maps[kernel_name(name)]
        assert sizes == [declared.id, made.key_size, made.value_size, made.max_entries], name
        if name.startswith("."):  # since libbpf 1.2 only sections with global variables
            flags &= made.flags | ~F_MMAPABLE
        assert flags == made.flags, name


@pytest.mark.parametrize("name", NAMES)
def test_objects_are_loaded_as_libbpf_does(
    name: str, tmp_path: Path, bpffs: Path, preload: Path
) -> None:
    content = clang.compile(FIXTURES / "c" / f"{name}.c").content
    seen = capture(content, tmp_path, bpffs, preload)
    check(load(tmp_path / "prog.o"), seen)


@pytest.mark.parametrize("name", NAMES)
def test_written_objects_mean_the_same_to_libbpf(
    name: str, tmp_path: Path, bpffs: Path, preload: Path
) -> None:
    content = clang.compile(FIXTURES / "c" / f"{name}.c").content
    (tmp_path / "prog.o").write_bytes(content)
    spec = load(tmp_path / "prog.o")
    check(spec, capture(write(spec), tmp_path, bpffs, preload))
