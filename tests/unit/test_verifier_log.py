"""The verifier's log in the kernel's format, and the way to an error."""

import json

import pytest
from click.testing import CliRunner

from ebee import hooks, isa, maps
from ebee.cli.check import check as command
from ebee.obj import ObjectSpec, ProgramSpec, write
from ebee.obj.spec import Line
from ebee.verifier.core import log
from ebee.verifier.core import reg as R
from ebee.verifier.core.check import check_program
from ebee.verifier.core.profile import PROFILES
from ebee.verifier.core.program import MapInfo, Program

pytestmark = pytest.mark.unit
ARRAY = MapInfo("values", maps.by_name("array"), 4, 48, 4, 0)
LOOKUP = """
    r1 = *(u32 *)(r1 +0)
    *(u32 *)(r10 -4) = r1
    r2 = r10
    r2 += -4
    r1 = map[fd:0]
    call 1
    if r0 == 0 goto out
    r0 = *(u64 *)(r0 +44)
out:
    exit
"""


def checked(text, level=0, hook="socket_filter", lines=()):
    code = isa.assemble(text)
    pseudo = {
        i: ("map", ARRAY, 0)
        for i, insn in enumerate(code)
        if insn.op == isa.insn.LDDW and insn.src == 1
    }
    program = Program("test", code, hooks.by_name(hook), pseudo=pseudo, lines=list(lines))
    return check_program(program, PROFILES["6.18"], level)


def test_each_instruction_is_followed_by_what_it_changed():
    text = checked("r1 = 5\nr0 = r1\nexit", 2).log.splitlines()
    assert text[0] == "func#0 @0"
    assert "0: R1=ctx() R10=fp0" in text
    assert "0: (b7) r1 = 5                        ; R1=5" in text
    assert "1: (bf) r0 = r1                       ; R0=5 R1=5" in text
    assert text[-1].startswith("processed 3 insns (limit 1000000) max_states_per_insn 0")


def test_level_1_has_only_the_path_that_failed():
    first, all_paths = checked(LOOKUP, 1).log, checked(LOOKUP, 2).log
    assert "invalid access to map value, value_size=48 off=44 size=8" in first
    assert len(first) < len(all_paths)
    assert not checked("r0 = 0\nexit", 1).log.startswith("0:")


def test_branches_say_where_they_come_from():
    text = checked("r0 = *(u32 *)(r1 +0)\nif r0 > 7 goto out\nr0 = 1\nout: exit", 2).log
    assert "\nfrom 1 to 3: R0=scalar(smin=umin=umin32=8," in text


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "scalar()"),
        ({"umax": 255, "smin": 0, "smax": 255, "v": 0, "m": 255},
         "scalar(smin=0,smax=umax=255,var_off=(0x0; 0xff))"),
        ({"id": 3, "umin": 1 << 20}, "scalar(id=3,umin=0x100000)"),
        ({"smin": -5, "tmin": -5}, "scalar(smin=smin32=-5)"),
    ],
)  # fmt: skip
def test_ranges_that_are_equal_share_a_number(changes, shown):
    reg = R.scalar()
    for name, value in changes.items():
        setattr(reg, name, value)
    assert log.reg_text(reg, 0) == shown


def test_the_way_to_an_error_names_branches_and_changes():
    lines = [Line(0, "a.c", 7, 1, "int key = skb->len;"), Line(7, "a.c", 9, 1, "if (!found)"),
             Line(8, "a.c", 11, 1, "return found[44];")]  # fmt: skip
    found = checked(LOOKUP, lines=lines)
    told = "\n".join(found.why.lines())
    assert found.why.register == "R0"
    assert found.why.holds == "map_value(map=values,ks=4,vs=48)"
    assert "a.c:9: if (!found)  [7: if r0 == 0x0 goto pc+1: not taken]" in told
    assert "call bpf_map_lookup_elem#1" in told


def test_the_way_follows_moves_between_registers():
    found = checked("r3 = *(u32 *)(r1 +0)\nr4 = r3\nr5 = r4\nr0 = *(u8 *)(r5 +0)\nexit")
    assert [step.slot for step in found.why.changes] == [2, 1, 0]


@pytest.fixture
def rejected(tmp_path):
    spec = ObjectSpec("made.o", license="GPL")
    code = isa.assemble("r0 = *(u8 *)(r1 +3)\nr0 = r2\nexit")
    spec.programs["prog"] = ProgramSpec("prog", "xdp", code, hook="xdp")
    path = tmp_path / "made.o"
    path.write_bytes(write(spec))
    return str(path)


def test_the_command_prints_log_and_way(rejected):
    found = CliRunner().invoke(command, ["--log-level", "2", rejected])
    assert found.exit_code == 3
    assert "0: (71) r0 = *(u8 *)(r1 +3)" in found.output
    (row,) = json.loads(CliRunner().invoke(command, ["--json", rejected]).output)
    assert row["outcome"] == "rejected"


def test_types_of_another_kernel_must_be_there(rejected):
    found = CliRunner().invoke(command, ["--btf", "/nonexistent", rejected])
    assert "cannot read the kernel's types" in str(found.exception)
