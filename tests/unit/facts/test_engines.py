"""Code that is compiled with the verifier's facts does what the interpreter does; and `ebee run`
hands them on. (`FACTS_ENGINES=first:last` takes other programs.)"""

from __future__ import annotations

import os
import random
from array import array
from pathlib import Path

import pytest

from ebee.cli.check import before_run
from ebee.errors import KernelError
from ebee.isa import parse
from ebee.machine.jit.batch import PacketBatch
from ebee.machine.machine import Machine, MachineProgram
from ebee.obj import ObjectSpec
from ebee.obj.spec import MapSpec, ProgramSpec, Ref

from .test_observed import fuzz, verified

pytestmark = pytest.mark.unit

FIRST, LAST = map(int, os.environ.get("FACTS_ENGINES", "0:60").split(":"))


def contents(program: MachineProgram) -> dict[str, list[tuple[bytes, bytes | None]]]:
    """What is in the program's maps now."""
    found = {}
    for name, m in program.owner.raw_maps.items():
        keys, key = [], None
        while m.type in ("array", "hash") and (key := m.next_key(key)) is not None:
            keys.append(key)
        found[name] = [(key, m.lookup(key)) for key in sorted(keys)]
    return found


def interpreted(program: MachineProgram, packets: list[bytes]) -> list[tuple[int, bytes]]:
    ran = [program.test_run(data) for data in packets]
    return [(r.retval, bytes(r.data)) for r in ran]


def compiled(
    program: MachineProgram, packets: list[bytes], trusted: bool
) -> list[tuple[int, bytes]]:
    lengths = array("I", map(len, packets))
    offsets = array("Q", (sum(lengths[:i]) for i in range(len(packets))))
    stamps = array("Q", [0] * len(packets))
    batch = PacketBatch(b"".join(packets), offsets, lengths, stamps, keep=True)
    while program.run_batch(batch, "quick", trusted):
        pass
    return [(batch.verdicts[i], bytes(batch.packet(i))) for i in range(len(packets))]


def test_compiled_code_with_facts_of_the_verifier_agrees_with_the_interpreter():
    agreed = 0
    for number in range(FIRST, LAST):
        verdict, linked = verified(number)
        if verdict.facts is None or len(linked.funcs) > 1:
            continue
        rng = random.Random(number)
        packets = [rng.randbytes(n) for n in fuzz.LENGTHS]
        spec = ObjectSpec("fuzz", {m.name: m for m in fuzz.SPECS}, license="GPL")
        spec.programs["fuzz"] = ProgramSpec("fuzz", "xdp", linked.insns, linked.refs, hook="xdp")
        found = []
        for trusted in (None, False, True):
            with Machine(clock=0, seed=1) as machine:
                program = machine.load(spec).programs["fuzz"]
                program.prove(verdict.facts.encode())
                if trusted is None:
                    ran = interpreted(program, packets)
                else:
                    ran = compiled(program, packets, trusted)
                found.append((ran, contents(program)))
        assert found[1] == found[0], f"checked: program {number}"
        assert found[2] == found[0], f"trusted: program {number}"
        agreed += 1
    assert agreed > (LAST - FIRST) // 12


# --- where the facts come from -------------------------------------------------------------------

LOOKUP = """
    r6 = *(u32 *)(r1 +12); *(u32 *)(r10 -4) = 1
    r2 = r10; r2 += -4; r1 = map[table]; call 1
    if r0 == 0 goto out
    r6 &= 15; r0 += r6
here:
    r0 = *(u8 *)(r0 +8)
out:
    exit
"""


def object_of(text: str) -> ObjectSpec:
    made = parse(text)
    refs = [Ref(r.slot, r.kind, r.symbol, r.addend) for r in made.references]
    maps = {"table": MapSpec("table", "array", 4, 64, 4)}
    programs = {"p": ProgramSpec("p", "xdp", made.insns, refs, hook="xdp")}
    return ObjectSpec("o", maps, programs, license="GPL")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_what_is_checked_before_a_run_is_remembered_with_its_facts(cache):
    spec = object_of(LOOKUP)
    assert before_run(spec, ["p"], known=True) is None
    proofs = before_run(spec, ["p"])
    assert proofs is not None
    assert before_run(spec, ["p"], known=True) == proofs
    at = parse(LOOKUP).labels["here"]
    with Machine() as machine:
        program = machine.load(spec).programs["p"]
        program.prove(proofs["p"])
        assert program.code.facts.reg(at, 0).span == (0, 15)
        program.prove(b"a damaged file")  # the quick pass is still there
        assert program.code.facts.reg(at, 0).kind == "map_value"


def test_what_other_rules_accepted_is_checked_again(cache, monkeypatch):
    spec = object_of(LOOKUP)
    assert before_run(spec, ["p"]) is not None
    monkeypatch.setattr("ebee.lang.identity.files_in", lambda parts: [("walk.py", 1, 2)])
    assert before_run(spec, ["p"], known=True) is None


def test_what_is_refused_has_no_facts(cache, capfd):
    assert before_run(object_of("r0 = *(u64 *)(r2 +0)\nexit"), ["p"]) is None
    assert "the verifier does not accept it" in capfd.readouterr().err


def test_new_facts_make_new_code():
    with Machine() as machine:
        program = machine.load(object_of(LOOKUP)).programs["p"]
        before = program.compiled("quick")
        assert program.verify().accepted
        assert program.compiled("quick") is not before
        assert compiled(program, [bytes(64)], trusted=False)[0][0] == 0


def test_constants_that_the_verifier_went_by_do_not_change():
    """It read them, and so knows which branches are never taken."""
    text = "r1 = map[rodata]\nr1 = *(u32 *)(r1 +4)\nif r1 != 7 goto never\nr0 = 1\nexit\n"
    made = parse(text + "never: r0 = 2\nexit")
    slot = next(r.slot for r in made.references)
    spec = ObjectSpec("o", license="GPL")
    data = (3).to_bytes(4, "little") + (7).to_bytes(4, "little")
    spec.maps["rodata"] = MapSpec("rodata", "array", 4, 8, 1, flags=0x80, data=data, readonly=True)
    refs = [Ref(slot, "data", "rodata", 0)]
    spec.programs["p"] = ProgramSpec("p", "xdp", made.insns, refs, hook="xdp")
    with Machine() as machine:
        loaded = machine.load(spec)
        program = loaded.programs["p"]
        assert program.verify().accepted
        assert program.code.facts.before[made.labels["never"]] is None
        with pytest.raises(KernelError, match="frozen"):
            loaded.raw_maps["rodata"].update(bytes(4), bytes(8))
        assert compiled(program, [bytes(64)], trusted=True)[0][0] == 1
