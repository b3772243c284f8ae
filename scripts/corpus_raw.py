"""The raw instruction tests of the kernel's selftests (verifier/*.c): arrays built by macros, which
a small C program (raw_tests.c) is compiled around and writes out; as programs for ebee's verifier
and for the running kernel's."""

from __future__ import annotations

import errno
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from corpus_sources import Corpus, run

from ebee.btf import Btf, Func
from ebee.errors import EbeeError, KernelError, VerifierError
from ebee.hooks import Hook, by_name, by_prog_type
from ebee.hooks.numbers import ATTACH_TYPES
from ebee.isa import Insn, decode, encode
from ebee.linux.btf import load_bytes
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import PROG_TYPE_NAMES, LinuxProgram, digest
from ebee.maps import by_id as map_type
from ebee.obj.spec import FuncInfo, MapSpec
from ebee.verifier.core.errors import DoesNotKnow
from ebee.verifier.core.program import Program, map_info
from ebee.verifier.core.target import named

REJECT = 2  # enum of test_verifier.c
_PROCESSED = re.compile(r"processed (\d+) insns")


class Said(NamedTuple):
    """The kernel's verdict: accepted (None: it did not come to one), last words, instructions."""

    accepted: bool | None
    words: str
    processed: int


def said(load_it: Callable[[], str]) -> Said:
    """The kernel's verdict from trying to load; `load_it` gives the log."""
    try:
        log = load_it()
        found = _PROCESSED.search(log)
        return Said(True, "", int(found[1]) if found else 0)
    except VerifierError as error:
        found = _PROCESSED.search(error.log)
        lines = digest(error.log)
        words = lines[0] if lines else ""
        if error.errno == errno.EPERM and not found:  # refused before it was looked at
            return Said(None, words, 0)
        return Said(False, words, int(found[1]) if found else 0)
    except (KernelError, EbeeError) as error:
        first = str(error).split("\n")[0]
        if isinstance(error, KernelError) and error.errno == errno.E2BIG:
            return Said(False, first, 0)
        return Said(None, first, 0)


@dataclass
class Raw:
    """One raw test: instructions that name maps by the numbers of `maps`. `unprivileged`: whether
    loaders without capabilities should be able to load it, and else the kernel's words."""

    name: str
    type: int
    attach_type: int
    flags: int
    insns: list[Insn]
    maps: dict[int, tuple[MapSpec, int]]  # and the number of its types
    btfs: dict[int, bytes]
    kfuncs: dict[int, str]
    target: str = ""
    types: int = 0
    funcs: tuple[tuple[int, int], ...] = ()
    unprivileged: tuple[bool, str] | None = None


def raw_tests(file: Path) -> Iterator[Raw]:
    """The tests that raw_tests.c wrote."""
    maps: dict[int, tuple[MapSpec, int]] = {}
    btfs: dict[int, bytes] = {}
    made = Raw("", 0, 0, 0, [], maps, btfs, {})
    for line in file.open():
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "btf":
            number, _, data = rest.partition(" ")
            btfs[int(number)] = bytes.fromhex(data)
        elif word == "map":
            fd, kind, key, value, entries, flags, inner, btf, value_type = map(int, rest.split())
            declared = map_type(kind)
            assert declared is not None
            spec = MapSpec(f"map{fd}", declared.name, key, value, entries, flags)
            spec.key_btf_id, spec.value_btf_id = (1 if value_type else 0), value_type
            spec.inner = maps[inner][0] if inner else None
            maps[fd] = spec, btf
        elif word == "test":
            *numbers, name = rest.split(" ", 4)
            type, attach_type, flags, _ = map(int, numbers)
            made = Raw(name, type, attach_type, flags, [], maps, btfs, {})
        elif word == "unpriv":
            expected, _, words = rest.partition(" ")
            made.unprivileged = int(expected) != REJECT, words
        elif word == "kfunc":
            slot, name = rest.split()
            made.kfuncs[int(slot)] = name
        elif word == "target":
            made.target = rest
        elif word == "types":
            made.types = int(rest)
        elif word == "func":
            start, id = map(int, rest.split())
            made.funcs += ((start, id),)
        elif word == "insns":
            made.insns = decode(bytes.fromhex(rest))
            yield made
            maps, btfs = {}, {}


def _wide(test: Raw) -> Iterator[int]:
    """Slots of wide loads that name a map."""
    slot = 0
    while slot < len(test.insns):
        insn = test.insns[slot]
        if insn.op == 0x18:
            if insn.src in (1, 2) and insn.imm in test.maps:
                yield slot
            slot += 1
        slot += 1


def _kernel_id(name: str, kernel: Btf | None = None) -> int:
    found = (kernel or Btf.vmlinux()).get(name, Func)
    return found.id if found is not None else 0


def raw_program(test: Raw, kernel: Btf | None = None) -> Program:
    """A raw test as the verifier takes it. `kernel`: its types, if they are not the running
    one's."""
    hook = by_prog_type(test.type)
    if test.type == 26:
        hook = _tracing_hook(test)
    if hook is None:
        raise DoesNotKnow(f"programs of type {test.type}")
    made = Program(test.name, list(test.insns), hook, test.attach_type, test.flags)
    made.attach_to, made.kernel = test.target, kernel
    if test.target:
        made.target = named(made)
    infos = {}
    for slot in _wide(test):
        fd = made.insns[slot].imm
        if fd not in infos:
            spec, btf = test.maps[fd]
            types = Btf.parse(test.btfs[btf]) if btf else None
            infos[fd] = map_info(spec, types, made.types() if types else kernel)
        kind = "map" if made.insns[slot].src == 1 else "data"
        offset = made.insns[slot + 1].imm if kind == "data" else 0
        made.insns[slot] = made.insns[slot]._replace(imm=0)
        made.pseudo[slot] = kind, infos[fd], offset & 0xFFFF_FFFF
    for slot, name in test.kfuncs.items():
        made.insns[slot] = made.insns[slot]._replace(imm=_kernel_id(name, kernel))
    if test.types:
        made.btf = Btf.parse(test.btfs[test.types])
        made.funcs = [FuncInfo("", start, id) for start, id in test.funcs]
        for info in made.funcs:
            function = made.btf.type(info.btf_id)
            linkage = getattr(function, "linkage", 0)
            made.linkage[info.start] = "global" if int(linkage) == 1 else "static"
    return made


def _tracing_hook(test: Raw) -> Hook | None:
    names = {"trace_fentry": "fentry", "trace_fexit": "fexit", "modify_return": "fmod_ret",
             "trace_iter": "iter", "trace_raw_tp": "tp_btf"}  # fmt: skip
    for attach, name in names.items():
        if ATTACH_TYPES[attach] == test.attach_type:
            return by_name(name)
    return None


def raw_says(test: Raw) -> Said:
    """The running kernel's verdict on a raw test."""
    with ExitStack() as stack:
        fds: dict[int, int] = {}
        btfs = {n: stack.enter_context(load_bytes(data)) for n, data in test.btfs.items()}
        try:
            for fd, (spec, btf) in test.maps.items():
                inner = None
                if spec.inner is not None:
                    inner = stack.enter_context(LinuxMap.from_spec(spec.inner, None, None))
                made = LinuxMap.from_spec(spec, btfs.get(btf), inner)
                fds[fd] = stack.enter_context(made).fd.fileno()
        except KernelError as error:
            return Said(None, str(error).split("\n")[0], 0)
        insns = list(test.insns)
        for slot in _wide(test):
            insns[slot] = insns[slot]._replace(imm=fds[insns[slot].imm])
        for slot, name in test.kfuncs.items():
            insns[slot] = insns[slot]._replace(imm=_kernel_id(name))
        more: dict[str, object] = {}
        if test.types:
            pairs = b"".join(struct.pack("=II", *pair) for pair in test.funcs)
            more = {"btf": btfs[test.types], "func_info": pairs}
        if test.target:
            prefix = "bpf_lsm_" if test.type == 29 else ""
            if test.attach_type == 28:
                prefix = "bpf_iter_"
            more["attach_btf_id"] = _kernel_id(prefix + test.target)

        def load_it() -> str:
            with LinuxProgram.load(
                encode(insns), PROG_TYPE_NAMES[test.type], attach_type=test.attach_type,
                flags=test.flags, log_level=4, **more,  # type: ignore[arg-type]
            ) as made:  # fmt: skip
                return made.log

        return said(load_it)


def write_raw(corpus: Corpus) -> Path:
    """The file of all raw tests of a corpus, made if it is not there."""
    folder = corpus.folder / "raw"
    made, program = folder / "raw.txt", folder / "raw_tests"
    if made.exists():
        return made
    tests = corpus.progs.parent
    (folder / "verifier").mkdir(parents=True, exist_ok=True)
    included = [f'#include "{path}"' for path in sorted((tests / "verifier").glob("*.c"))]
    lines = ["#ifdef FILL_ARRAY", *included, "#endif", ""]
    (folder / "verifier/tests.h").write_text("\n".join(lines))
    places = (folder, tests, corpus.generated, corpus.tools / "include",
              corpus.tools / "include/uapi")  # fmt: skip
    source = Path(__file__).with_name("raw_tests.c")
    run(["clang-19", "-O1", "-w", "-D_GNU_SOURCE", *(f"-I{place}" for place in places),
         "-ffunction-sections", "-fdata-sections", str(source), "-o", str(program),
         "-Wl,--gc-sections", str(corpus.libbpf), f"-Wl,-rpath,{corpus.folder}"])  # fmt: skip
    made.write_text(run([str(program)]))
    return made
