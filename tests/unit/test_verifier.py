"""What the verifier says of small programs, with the kernel's own words."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebee import hooks, isa, maps, verifier
from ebee.cli.check import check as command
from ebee.obj import ObjectSpec, ProgramSpec, write
from ebee.verifier.core.check import check_program
from ebee.verifier.core.profile import PROFILES, profile
from ebee.verifier.core.program import MapInfo, Program

pytestmark = pytest.mark.unit
ARRAY = MapInfo("array", maps.by_name("array"), 4, 48, 4, 0)
RING = MapInfo("ring", maps.by_name("ringbuf"), 0, 0, 4096, 0)
LOOKUP = """
    *(u64 *)(r10 -8) = 9
    r2 = r10
    r2 += -8
    r1 = map[fd:0]
    call 1
"""


def verdict(text, hook="xdp", kernel="6.18", **more):
    code = isa.assemble(text)
    which = {0: ARRAY, 1: RING}
    wide = [i for i, insn in enumerate(code) if insn.op == isa.insn.LDDW and insn.src == 1]
    pseudo = {i: ("map", which[code[i].imm], 0) for i in wide}
    program = Program("test", code, hooks.by_name(hook), pseudo=pseudo, **more)
    return check_program(program, profile(kernel))


ACCEPTED = {
    "nothing": "r0 = 0\nexit",
    "a checked packet": """
        r2 = *(u32 *)(r1 +0)
        r3 = *(u32 *)(r1 +4)
        r4 = r2
        r4 += 14
        if r4 > r3 goto out
        r0 = *(u8 *)(r2 +13)
    out:
        r0 = 2
        exit""",
    "a bounded loop": "r0 = 0\ntop: r0 += 1\nif r0 < 100 goto top\nexit",
    "a checked lookup": LOOKUP + "if r0 == 0 goto out\nr1 = *(u64 *)(r0 +40)\nout: r0 = 0\nexit",
    "an index below a bound": LOOKUP + """
        if r0 == 0 goto out
        r6 = r0
        call 7
        if r0 > 40 goto out
        r6 += r0
        r1 = *(u8 *)(r6 +7)
    out:
        r0 = 0
        exit""",
    "a subprogram": "r1 = 5\ncall double\nexit\ndouble: r0 = r1\nr0 += r0\nexit",
    "a record that is submitted": """
        r1 = map[fd:1]
        r2 = 8
        r3 = 0
        call 131
        if r0 == 0 goto out
        *(u64 *)(r0 +0) = 1
        r1 = r0
        r2 = 0
        call 132
    out:
        r0 = 0
        exit""",
}  # fmt: skip
REJECTED = {
    "an unwritten register": ("r0 = r2\nexit", "unwritten-register", "R2 !read_ok"),
    "unreachable code": ("r0 = 0\nexit\nr0 = 1\nexit", "unreachable", "unreachable insn 2"),
    "an endless loop": ("r0 = 0\ntop: goto top", "infinite-loop", "infinite loop detected"),
    "a missing null check": (
        LOOKUP + "r0 = *(u64 *)(r0 +0)\nexit", "not-memory",
        "R0 invalid mem access 'map_value_or_null'",
    ),
    "an access behind a value": (
        LOOKUP + "if r0 == 0 goto out\nr0 = *(u64 *)(r0 +44)\nout: exit", "out-of-bounds",
        "invalid access to map value, value_size=48 off=44 size=8",
    ),
    "an unchecked packet": (
        "r2 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r2 +0)\nexit", "packet-bounds",
        "invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)",
    ),
    "a stack overflow": (
        "*(u64 *)(r10 -520) = 0\nr0 = 0\nexit", "stack-bounds",
        "invalid write to stack R10 off=-520 size=8",
    ),
    "a lost record": (
        "r1 = map[fd:1]\nr2 = 8\nr3 = 0\ncall 131\nr0 = 0\nexit", "reference-leak",
        "Unreleased reference id=",
    ),
    "recursion": ("f: call f\nr0 = 0\nexit", "call-depth", "the call stack of"),
    "a store to the context": ("*(u32 *)(r1 +12) = 0\nexit", "context-access",
                               "invalid bpf_context access off=12 size=4"),
}  # fmt: skip


@pytest.mark.parametrize("what", ACCEPTED)
def test_it_accepts(what):
    found = verdict(ACCEPTED[what])
    assert found.accepted, str(found)
    assert found.processed > 0


@pytest.mark.parametrize("what", REJECTED)
def test_it_rejects(what):
    text, id, message = REJECTED[what]
    found = verdict(text)
    assert (found.outcome, found.id) == ("rejected", id), str(found)
    assert message in found.message


def test_what_is_not_known_is_not_accepted():
    found = verdict("r0 = 0\nexit", hook="freplace", attach_to="main")
    assert found.outcome == "unknown"
    assert not found.accepted
    assert "does not know" in str(found)


def test_the_failed_inequality_is_told_in_numbers():
    text = REJECTED["an access behind a value"][0]
    assert verdict(text).detail == "offset 44 + 8 bytes > value size 48"


def test_the_limit_of_instructions_is_the_profile_s():
    from dataclasses import replace

    program = Program("test", isa.assemble(ACCEPTED["a bounded loop"]), hooks.by_name("xdp"))
    found = check_program(program, replace(PROFILES["6.18"], max_processed=50))
    assert found.id == "too-complex"
    assert "Processed 51 insn" in found.message


def test_versions_differ():
    text = LOOKUP.replace("= 9", "= 0").replace("(u64 *)(r10 -8)", "(u32 *)(r10 -8)")
    text += "r0 = *(u64 *)(r0 +0)\nexit"
    assert verdict(text).accepted  # since 6.14 a constant index of an array is never null
    assert verdict(text, kernel="6.12").id == "not-memory"


@pytest.fixture
def file(tmp_path):
    def made(text):
        spec = ObjectSpec("made.o", license="GPL")
        code = isa.assemble(text)
        spec.programs["prog"] = ProgramSpec("prog", "xdp", code, hook="xdp")
        path = tmp_path / "made.o"
        path.write_bytes(write(spec))
        return str(path)

    return made


def test_the_command_tells_by_its_exit_code(file):
    good = CliRunner().invoke(command, [file(ACCEPTED["a bounded loop"])])
    assert good.exit_code == 0
    assert "accepted" in good.output
    bad = CliRunner().invoke(command, ["--json", file("r0 = r2\nexit")])
    assert bad.exit_code == 3
    (row,) = json.loads(bad.output)
    assert row["id"] == "unwritten-register"
    assert row["text"] == "r0 = r2"


def test_sign_extension_knows_no_more_than_the_kernel():
    """Only of a constant: that all of the low byte is known is not used (found by fuzzing)."""
    text = """
        r9 = *(u32 *)(r1 +12)
        r9 <<= 31
        w9 = (s8)w9
        r2 = r9
        r1 = r10
        r1 += -16
        r3 = 0
        r4 = 0
        r5 = 0
        call 28
        r0 = 0
        exit"""
    assert verdict(text).id == "unbounded"


def test_control_comes_to_the_entry_of_a_function_from_its_call():
    """Else precision is sought in the function before it (found by the kernel's raw tests)."""
    text = """
        r1 = r10
        r1 += -8
        r2 = r10
        r2 += -16
        call second
        r0 = 0
        exit
    second:
        r6 = r1
        r7 = r2
        *(u64 *)(r10 -8) = 0
        r2 = r10
        r2 += -8
        r1 = map[fd:0]
        call 1
        r9 = 0
        if r0 == 0 goto third_args
        *(u64 *)(r7 +0) = r0
        r9 = 1
    third_args:
        r3 = r7
        r4 = r9
        call third
        exit
    third:
        if r4 != 1 goto done
        r0 = *(u64 *)(r3 +0)
        *(u64 *)(r0 +44) = 0
    done:
        r0 = 0
        exit"""
    assert (
        verdict(text.replace("*(u64 *)(r10 -8) = 0", "*(u64 *)(r10 -8) = 9")).id == "out-of-bounds"
    )


def test_each_error_has_advice_and_stands_in_the_documentation():
    from ebee.verifier.core.advice import ADVICE

    core = Path(verifier.core.__path__[0])
    text = "".join(path.read_text() for path in core.glob("*.py"))
    assert set(re.findall(r'Rejected\(\s*"([a-z0-9-]+)"', text)) <= set(ADVICE)
    page = (Path(__file__).parents[2] / "docs/verifier.md").read_text()
    for id, advice in ADVICE.items():
        assert f"| `{id}` | {advice} |" in page


def test_the_way_there_names_calls_and_counts_rounds():
    text = """
        r6 = 0
    again: r6 += 1
        if r6 != 5 goto again
        call inner
        exit
    inner:
        r0 = *(u8 *)(r10 -1000)
        exit"""
    why = verdict(text).why
    assert why is not None
    assert [(step.taken, step.times) for step in why.branches] == [
        (True, 4), (False, 1), (None, 1),
    ]  # fmt: skip


def test_the_number_that_moves_a_pointer_is_explained():
    text = LOOKUP + "if r0 == 0 goto out\nr6 = r0\ncall 7\nr6 += r0\nout: r0 = 0\nexit"
    found = verdict(text)
    assert found.id == "offset-unbounded", found
    assert found.why is not None
    assert found.why.register == "R0"


def test_the_machine_s_processors_bound_their_numbers(file):
    text = """
        call 8
        r1 = r10
        r1 += -64
        r0 <<= 3
        r1 += r0
        *(u64 *)(r1 +0) = 0
        r0 = 0
        exit"""
    told = CliRunner().invoke(command, [file(text), "--cpus", "8"])
    assert told.exit_code == 0, told.output
    told = CliRunner().invoke(command, [file(text), "--json"])
    assert told.exit_code == 3
    (row,) = json.loads(told.output)
    assert row["id"] == "stack-bounds"
    assert row["advice"]
