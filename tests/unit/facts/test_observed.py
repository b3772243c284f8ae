"""What the verifier saw holds: random programs that it accepts run in the interpreter, and before
each step every register is what its fact says. (`FACTS_ACCEPTED=first:last` takes others.)"""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ebee import hooks
from ebee.isa import parse
from ebee.isa.insn import LDDW
from ebee.machine.code import Code
from ebee.machine.machine import Machine
from ebee.obj import ObjectSpec
from ebee.obj.spec import FuncInfo, Linked, ProgramSpec, Ref
from ebee.verifier.core import observe
from ebee.verifier.core import reg as R
from ebee.verifier.core.check import Verdict, check_program
from ebee.verifier.core.profile import PROFILES
from ebee.verifier.core.program import Program
from ebee.verifier.facts import SCALAR, UNKNOWN, Fact, Facts

from .witness import MAPS, Lie, Witness, linked

pytestmark = pytest.mark.unit

FIRST, LAST = map(int, os.environ.get("FACTS_ACCEPTED", "0:250").split(":"))
PROFILE = replace(PROFILES["6.18"], max_processed=2_500)


def script(name: str) -> Any:
    """A module of scripts/."""
    path = Path(__file__).resolve().parents[3] / "scripts" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzz = script("fuzz_verifier")


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    made = Witness(fuzz.SPECS)
    for key in range(4):
        made.maps["array"].update(key.to_bytes(4, "little"), bytes(range(48)))
    yield made
    made.machine.close()


def verified(number: int) -> tuple[Verdict, Linked]:
    """A random program, and what the verifier says of it."""
    fds = range(11, 11 + len(fuzz.SPECS))
    code = fuzz.Generator(random.Random(f"facts/{number}"), "xdp", fds).make()
    refs = [Ref(slot, "map", fuzz.SPECS[fds.index(i.imm)].name, 0)
            for slot, i in enumerate(code) if i.op == LDDW and i.src == 1]  # fmt: skip
    pseudo = {r.slot: ("map", fuzz._info(fuzz.SPECS[fds.index(code[r.slot].imm)]), 0) for r in refs}
    hook = hooks.by_name("xdp")
    verdict = check_program(Program("fuzz", list(code), hook, pseudo=pseudo), PROFILE, facts=True)
    for r in refs:
        code[r.slot] = code[r.slot]._replace(imm=0)
    calls = {slot + 1 + i.imm for slot, i in enumerate(code) if i.op == 0x85 and i.src == 1}
    funcs = [FuncInfo(f"f{start}", start, 0) for start in sorted({0, *calls})]
    return verdict, Linked("fuzz", code, refs, funcs, [])


def watch(witness: Witness, code: Code, facts: Facts, number: int) -> int:
    """Steps of runs on packets of several lengths."""
    rng = random.Random(number)
    return sum(witness.watch(code, rng.randbytes(n), 3_000, facts) for n in fuzz.LENGTHS)


def test_facts_of_accepted_programs_hold_in_all_their_runs(witness):
    steps = accepted = said = 0
    for number in range(FIRST, LAST):
        verdict, program = verified(number)
        if verdict.facts is None:
            continue
        accepted += 1
        code = witness.place(program)
        steps += watch(witness, code, verdict.facts, number)
        steps += watch(witness, code, code.facts.refined(verdict.facts), number)
        rows = (row for row in verdict.facts.before if row is not None)
        said += sum(fact != UNKNOWN for row in rows for fact in row[:10])
    assert accepted > (LAST - FIRST) // 8  # else this is about nothing
    assert steps > 100 * accepted
    assert said > 10 * accepted


def test_scalars_that_nothing_depended_on_are_no_facts(witness, monkeypatch):
    """Were they, it would show: the walk ends paths whose scalars differ from those it saw."""
    honest = observe.describe

    def trusting(reg, state, starts):
        if reg.type == R.SCALAR:
            return Fact("scalar", "", None, False, (reg.umin, reg.umax))
        return honest(reg, state, starts)

    monkeypatch.setattr(observe, "describe", trusting)

    def watch_all() -> None:
        for number in range(1000):
            verdict, program = verified(number)
            if verdict.facts is not None:
                watch(witness, witness.place(program), verdict.facts, number)

    with pytest.raises(Lie):
        watch_all()


# --- one thing at a time -------------------------------------------------------------------------

LOOKUP = """
    r6 = r1
    r1 = 1; *(u32 *)(r10 -4) = r1
    r2 = r10; r2 += -4; r1 = map[table]; call 1
    if r0 == 0 goto out
"""


def facts_of(text: str) -> tuple[Facts, dict[str, int]]:
    """The verifier's facts of an XDP program, and the slots of its labels."""
    made = linked(text)
    code, infos = list(made.insns), {m.name: fuzz._info(m) for m in MAPS}
    pseudo = {r.slot: ("map", infos[r.symbol], 0) for r in made.refs}
    program = Program("p", code, hooks.by_name("xdp"), pseudo=pseudo)
    verdict = check_program(program, PROFILE, facts=True)
    assert verdict.facts is not None, verdict
    return verdict.facts, parse(text).labels


def test_a_lookup_that_was_found_is_not_null_and_its_offset_has_bounds():
    facts, at = facts_of(
        LOOKUP + "r1 = *(u32 *)(r6 +12); r1 &= 15; r0 += r1\n"
        "here: r0 = *(u8 *)(r0 +8)\nout: r0 = 0\nexit"
    )
    assert facts.reg(at["here"], 0) == Fact("map_value", "table", None, False, (0, 15))


def test_bytes_before_the_end_of_the_packet_are_there():
    facts, at = facts_of(
        "r2 = *(u32 *)(r1 +0); r3 = *(u32 *)(r1 +4); r4 = r2; r4 += 14\n"
        "if r4 > r3 goto out\nr2 += 4\nhere: r0 = *(u8 *)(r2 +9)\nout: r0 = 0\nexit"
    )
    assert facts.reg(at["here"], 2) == Fact("packet", "", 4, False, (4, 4), 10)


def test_what_the_walk_never_comes_to_never_runs():
    facts, at = facts_of("r1 = 4; if r1 > 3 goto on\nnever: r0 = 9\nexit\non: r0 = 0\nexit")
    assert facts.before[at["never"]] is None
    assert facts.runs[at["on"]] == 1


def test_a_loop_runs_as_often_as_it_was_walked_at_the_most():
    facts, at = facts_of("r0 = 0\ntop: r0 += 1\nif r0 < 100 goto top\nr0 = 0\nexit")
    assert facts.runs[at["top"]] == 100


def test_a_length_that_the_helper_checked_has_bounds():
    facts, at = facts_of(
        "r4 = *(u32 *)(r1 +12); r4 &= 4; *(u64 *)(r10 -8) = 0; r3 = r10; r3 += -8\n"
        "r1 = 0; r2 = 0; r5 = 0\ncall: call 28\nr0 = 0\nexit"
    )
    assert facts.reg(at["call"], 4).span == (0, 4)


def test_registers_that_hold_one_thing_or_another_are_unknown():
    facts, at = facts_of(
        "r6 = r1; r2 = *(u32 *)(r1 +12)\nif r2 == 3 goto other\nr6 = r10\n"
        "other: r0 = r6\nr0 = 0\nexit"
    )
    assert facts.reg(at["other"], 6) == UNKNOWN


# --- two sources ---------------------------------------------------------------------------------


def test_both_facts_together_say_what_either_says():
    quick = Fact("map_value", "m", None, True, (0, 40))
    walked = Fact("map_value", "m", None, False, (8, 64))
    assert quick.both(walked) == Fact("map_value", "m", None, False, (8, 40))
    assert quick.both(UNKNOWN) == quick
    assert UNKNOWN.both(walked) == walked
    assert SCALAR.both(walked) == walked


def test_numbers_that_are_the_same_modulo_the_word_do_not_narrow_each_other():
    low, high = Fact("scalar", span=(-4, 3)), Fact("scalar", span=(2, (1 << 64) - 1))
    assert low.both(high) == low


def test_facts_survive_being_written_down():
    verdict, _ = next(v for v in map(verified, range(100)) if v[0].facts is not None)
    assert verdict.facts is not None
    assert Facts.decode(verdict.facts.encode()) == verdict.facts
    for damaged in (b"", b"[]", b"[[1], [], []]", b"null", verdict.facts.encode()[:-2]):
        with pytest.raises(ValueError):
            Facts.decode(damaged)


def test_a_program_that_was_refused_keeps_the_facts_of_the_pass():
    text = "r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +0)\nexit"
    made = linked(text)
    spec = ObjectSpec("o", programs={"p": ProgramSpec("p", "xdp", made.insns, hook="xdp")})
    with Machine() as machine:
        program = machine.load(spec).programs["p"]
        before = program.code.facts
        assert program.verify().outcome == "rejected"
        assert program.code.facts == before


# --- frames of others ----------------------------------------------------------------------------

SHARED = """
    r6 = r1
    *(u64 *)(r10 -8) = 0
    *(u64 *)(r10 -16) = 4
    r1 = 10; r2 = subprog[func_turn]; r3 = r10; r3 += -16; r4 = 0; call 181
    r1 = r10; r1 += -16
    call func_add
    r0 = 2
    exit
func_turn:
    r1 = *(u64 *)(r2 +8)
here:
    r1 += 1; *(u64 *)(r2 +8) = r1
    r6 = r2; r1 = r2
    call func_add
    r0 = *(u64 *)(r6 +0); r0 &= 1
    exit
func_add:
    r2 = *(u64 *)(r1 +8); r2 += 3; *(u64 *)(r1 +8) = r2
    r0 = 0
    exit
"""


def test_a_callback_knows_the_frame_that_it_was_given(witness):
    facts, at = facts_of(SHARED)
    outer = Fact("stack", "0", -16, False, (-16, -16))
    assert facts.reg(at["here"], 2) == outer
    assert facts.reg(at["func_add"], 1) == outer
    assert facts.runs == {}  # how often a helper calls it is the helper's affair
    made = linked(SHARED)
    assert witness.watch(witness.place(made), bytes(64), 3_000, facts) > 100
