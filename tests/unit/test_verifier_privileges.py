"""What the verifier says to loaders without capabilities, with the kernel's own words."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from ebee import hooks, isa, maps
from ebee.cli.check import check as command
from ebee.errors import ConfigError
from ebee.obj import ObjectSpec, ProgramSpec, write
from ebee.verifier.core import privileges
from ebee.verifier.core.check import check_program
from ebee.verifier.core.privileges import ALL, NONE, Privileges, parse
from ebee.verifier.core.profile import profile
from ebee.verifier.core.program import MapInfo, Program

pytestmark = pytest.mark.unit
NO_PERFMON = Privileges(perfmon=False)
ARRAY = MapInfo("array", maps.by_name("array"), 4, 48, 4, 0)
JUMPS = [MapInfo(name, maps.by_name("prog_array"), 4, 4, 4, 0) for name in ("one", "two")]
LOOKUP = """
    *(u64 *)(r10 -8) = 1
    r2 = r10
    r2 += -8
    r1 = map[fd:0]
    call 1
    if r0 == 0 goto out
"""
OUT = "\nout: r0 = 0\nexit"


def verdict(text, held, hook="xdp", kernel="6.18", log_level=0, which=None):
    code = isa.assemble(text)
    which = which or {0: ARRAY, 1: JUMPS[0], 2: JUMPS[1]}
    wide = [i for i, insn in enumerate(code) if insn.op == isa.insn.LDDW and insn.src == 1]
    pseudo = {i: ("map", which[code[i].imm], 0) for i in wide}
    program = Program("test", code, hooks.by_name(hook), pseudo=pseudo)
    return check_program(program, replace(profile(kernel), privileges=held), log_level)


WITHOUT_PERFMON = {
    # what would tell of addresses
    "a pointer as result": ("r0 = r10\nexit", "R0 leaks addr as return value"),
    "a pointer in a map": (LOOKUP + "*(u64 *)(r0 +0) = r10" + OUT, "R10 leaks addr into map"),
    "a pointer in the context": (
        "*(u64 *)(r1 +0) = r10\nr0 = 0\nexit", "R10 leaks addr into ctx",
    ),
    "a pointer in a number's place": (
        "r2 = r10\ncall 44\nr0 = 0\nexit", "R2 leaks addr into helper function",
    ),
    "a pointer that is added to memory": (
        LOOKUP + "r1 = r10\nlock *(u64 *)(r0 +0) += r1" + OUT, "R1 leaks addr into mem",
    ),
    "a comparison with a number": (
        "r0 = 0\nif r10 == 5 goto +0\nexit", "R10 pointer comparison prohibited",
    ),
    "a comparison of pointers": (
        "r0 = 0\nif r1 == r10 goto +0\nexit", "R10 pointer comparison prohibited",
    ),
    "half of a pointer": ("w0 = w10\nexit", "R10 partial copy of pointer"),
    "a byte of a pointer": ("r0 = (s8)r10\nexit", "R10 sign-extension part of pointer"),
    "the difference of pointers": ("r0 = r10\nr0 -= r1\nexit", "R0 pointer -= pointer prohibited"),
    "a 32-bit difference": ("r0 = r10\nw0 -= 1\nexit", "R0 32-bit pointer arithmetic prohibited"),
    "a pointer that is negated": ("r0 = r10\nr0 = -r0\nexit", "R0 pointer arithmetic prohibited"),
    "a spilled pointer in part": (
        "*(u64 *)(r10 -8) = r1\n*(u32 *)(r10 -8) = 0\nr0 = 0\nexit",
        "attempt to corrupt spilled pointer on stack",
    ),
    "a spilled pointer as a number": (
        "*(u64 *)(r10 -8) = r1\nr1 = 1\nlock *(u64 *)(r10 -8) += r1\nr0 = 0\nexit",
        "leaking pointer from stack off -8",
    ),
    # the stack
    "a stack that was never written": (
        "r0 = *(u64 *)(r10 -8)\nexit", "invalid read from stack R10 off=-8 size=8",
    ),
    "half of a stack slot": (
        "*(u32 *)(r10 -8) = 1\nr0 = *(u64 *)(r10 -8)\nexit",
        "invalid read from stack off -8+4 size",
    ),
    "a helper that reads what was not written": (
        "r2 = r10\nr2 += -8\n*(u32 *)(r10 -16) = 0\nr1 = map[fd:0]\ncall 1\nr0 = 0\nexit",
        "invalid read from stack R2 off -8+0 size 4",
    ),
    # speculation
    "an offset into the stack": (
        "call 7\nr0 &= 7\nr1 = r10\nr1 += r0\nr0 = 0\nexit",
        "R1 variable stack access prohibited for !root, var_off=(0x0; 0x7) off=0",
    ),
    "a pointer that leaves the stack": (
        "r1 = r10\nr1 += -520\nr0 = 0\nexit",
        "R1 stack pointer arithmetic goes out of range, prohibited for !root; off=-520",
    ),
    "a pointer that leaves a map's value": (
        LOOKUP + "r0 += 48" + OUT,
        "R0 pointer arithmetic of map value goes out of range, prohibited for !root",
    ),
    "an offset of either sign": (
        LOOKUP + "r6 = r0\ncall 7\nif r0 s> 1 goto out\nif r0 s< -1 goto out\nr6 += r0" + OUT,
        "R0 has unknown scalar with mixed signed bounds, pointer arithmetic with it prohibited",
    ),
    "a pointer that cannot be masked": (
        "r2 = *(u32 *)(r1 +0)\nr3 = 4\nr2 += r3\nr0 = 0\nexit",
        "R2 has pointer with unsupported alu operation, pointer arithmetic with it prohibited",
    ),
    "one addition for numbers and pointers": (
        LOOKUP + "r6 = r0\ncall 7\nr1 = 4\nif r0 == 5 goto add\nr6 = 4\nadd: r6 += r1" + OUT,
        "R6 tried to add from different maps, paths or scalars",
    ),
    "a tail call through two maps": (
        "r6 = r1\ncall 7\nif r0 == 1 goto other\nr2 = map[fd:1]\ngoto call\nother: r2 = map[fd:2]\n"
        "call: r1 = r6\nr3 = 0\ncall 12\nr0 = 0\nexit",
        "tail_call abusing map_ptr",
    ),
    "a helper that looks into the kernel": (
        "call 35\nr0 = 0\nexit", "program of this type cannot use helper bpf_get_current_task#35",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WITHOUT_PERFMON)
def test_without_perfmon_it_rejects(what):
    text, message = WITHOUT_PERFMON[what]
    found = verdict(text, NO_PERFMON)
    assert found.outcome == "rejected", str(found)
    assert message in found.message
    if what != "a pointer in the context":
        assert verdict(text, ALL).accepted, "root may"


def test_ways_that_only_speculation_goes_are_walked_and_counted():
    text = "r0 = 0\nif r0 == 0 goto out\nr0 = 1\nout: exit"
    assert verdict(text, ALL).processed == 3
    found = verdict(text, NO_PERFMON, log_level=2)
    assert found.processed == 5
    assert "from 1 to 2 (speculative execution): R0=scalar()" in found.log


def test_what_only_speculation_makes_unsafe_gets_a_barrier_since_6_17():
    text = "r0 = 0\nif r0 == 0 goto out\nr0 = *(u64 *)(r0 +0)\nout: exit"
    assert verdict(text, NO_PERFMON).processed == 4
    found = verdict(text, NO_PERFMON, kernel="6.12")
    assert (found.id, found.message) == ("not-memory", "R0 invalid mem access 'scalar'")


def test_a_barrier_ends_only_ways_of_speculation():
    text = "r0 = r10\nexit"
    assert verdict(f"r6 = 0\nif r6 == 0 goto out\n{text}\nout: r0 = 0\nexit", NO_PERFMON).accepted
    assert not verdict(text, NO_PERFMON).accepted


def test_kernels_without_mitigations_walk_no_speculation():
    text = "r0 = 0\nif r0 == 0 goto out\nr0 = 1\nout: exit"
    held = Privileges(perfmon=False, mitigations=False)
    assert verdict(text, held).processed == 3
    assert verdict("r0 = r10\nexit", held).id == "pointer-leak"


WITHOUT_BPF = {
    "a loop": (
        "r0 = 0\ntop: r0 += 1\nif r0 < 100 goto top\nexit", "back-edge from insn 2 to 1",
    ),
    "a function": (
        "call f\nexit\nf: r0 = 0\nexit",
        "loading/calling other bpf or kernel functions are allowed",
    ),
    "a helper": ("call 118\nr0 = 0\nexit", "cannot use helper bpf_jiffies64#118"),
    "too many instructions": ("r0 = 0\n" * 4096 + "exit", "4097 instructions take CAP_BPF"),
}  # fmt: skip


@pytest.mark.parametrize("what", WITHOUT_BPF)
def test_without_bpf_it_rejects(what):
    text, message = WITHOUT_BPF[what]
    found = verdict(text, NONE, "socket_filter")
    assert found.outcome == "rejected", str(found)
    assert message in found.message
    assert verdict(text, ALL, "socket_filter").accepted


def test_packets_of_control_groups_are_not_for_everybody():
    text = "r0 = *(u32 *)(r1 +76)\nr0 = 1\nexit"
    assert verdict(text, NO_PERFMON, "cgroup_skb").accepted
    assert "invalid bpf_context access off=76" in verdict(text, NONE, "cgroup_skb").message


@pytest.mark.parametrize(
    ("hook", "held", "needs"),
    [
        ("xdp", Privileges(net_admin=False), "CAP_NET_ADMIN"),
        ("xdp", NONE, "CAP_BPF"),
        ("kprobe", NO_PERFMON, "CAP_PERFMON"),
        ("socket_filter", NONE, ""),
        ("cgroup_skb", NONE, ""),
        ("sk_lookup", Privileges(net_admin=False), ""),
    ],
)
def test_types_of_programs_take_capabilities(hook, held, needs):
    found = verdict("r0 = 1\nexit", held, hook)
    assert found.accepted == (not needs)
    if needs:
        assert (found.id, found.errno) == ("not-permitted", 1)
        assert found.message == f"programs of type {hook} take {needs}"


def test_types_of_maps_take_capabilities():
    which = {0: MapInfo("m", maps.by_name("lru_hash"), 4, 8, 4, 0)}
    found = verdict("r1 = map[fd:0]\nr0 = 0\nexit", NONE, "socket_filter", which=which)
    assert found.message == "maps of type lru_hash take CAP_BPF"


def test_names_of_capabilities():
    assert parse("all") == parse("sys_admin") == parse("CAP_BPF, perfmon,cap_net_admin") == ALL
    assert parse("none") == NONE
    assert parse("bpf,net_admin").names == ("CAP_BPF", "CAP_NET_ADMIN")
    with pytest.raises(ConfigError, match="no capability 'chown' matters"):
        parse("bpf,chown")


def test_helpers_that_take_capabilities_exist():
    from ebee import helpers

    known = {helper.name for helper in helpers.all_helpers()}
    assert known >= privileges._BPF_HELPERS | privileges._PERFMON_HELPERS


def test_the_command_takes_capabilities(tmp_path):
    spec = ObjectSpec("leak", license="GPL")
    code = isa.assemble("r0 = r10\nexit")
    spec.programs["leak"] = ProgramSpec("leak", "socket", code, hook="socket_filter")
    file = tmp_path / "leak.o"
    file.write_bytes(write(spec))
    run = CliRunner().invoke
    assert run(command, [str(file)]).exit_code == 0
    found = run(command, ["--caps", "none", str(file)])
    assert found.exit_code == 3
    assert "R0 leaks addr as return value" in found.output
    assert "bpf, perfmon, net_admin" in str(run(command, ["--caps", "x", str(file)]).exception)
