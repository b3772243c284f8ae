"""Programs on which ebee's verifier and the kernel's once differed, cut down."""

import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest

from ebee.isa import Insn, make, parse
from ebee.isa.insn import LDDW
from ebee.verifier.core.profile import profile

pytestmark = [pytest.mark.differential, pytest.mark.kernel]
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

# Tnum and range have one value in common: `__update_reg64_bounds` of 6.18.44, not of 6.18 and 6.12.
SINGLE_VALUES = {
    "between the members": "r0 &= 24; r2 = 0; if r0 > 12 goto out; if r0 < 5 goto out;"
                           "if r0 == 8 goto out; r2 = *(u8 *)(r10 +1)",
    "a range around the middle": "r0 &= 24; r2 = 0; if r0 > 23 goto out; if r0 < 9 goto out;"
                                 "if r0 == 16 goto out; r2 = *(u8 *)(r10 +1)",
    "the lowest": "r0 &= 24; r2 = 0; if r0 > 7 goto out; if r0 == 0 goto out;"
                  "r2 = *(u8 *)(r10 +1)",
    "the highest": "r0 &= 24; r2 = 0; if r0 < 17 goto out; if r0 == 24 goto out;"
                   "r2 = *(u8 *)(r10 +1)",
    "less than itself": "w0 s>>= 31; if r0 < r0 goto sized; goto out; sized: r2 = r0; r2 &= 15;"
                        "r1 = r10; r1 += -40; r3 = 0; r4 = 0; r5 = 0; call 16",
}  # fmt: skip


def script(name):
    """A module of scripts/."""
    sys.path.insert(0, str(SCRIPTS))
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def both():
    return script("fuzz_verifier").Both()


def level():
    """The running kernel's release, as numbers."""
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:3]))


@pytest.mark.parametrize("name", SINGLE_VALUES)
def test_single_values_are_seen_by_the_levels_that_are_known_to(both, name):
    text = f"call 7; {SINGLE_VALUES[name]}; out: r0 = 0; exit"
    code = parse(text).insns
    assert both.ebee(code, "xdp", profile("6.18")).accepted
    for older in ("6.12", "6.12.50", "6.18.0", "6.18.43"):
        seen = both.ebee(code, "xdp", profile(older)).accepted
        assert not seen or name in ("the lowest", "the highest")
    if level()[:2] == (6, 18) and level() >= (6, 18, 44):
        assert both.kernel(code, "xdp")[0]


NOWHERE = {
    "an unknown opcode": [Insn(0x8D), make("ja")],
    "a load with an immediate": [Insn(0x61, 0, 10, -8, 1), make("ja")],
    "a wide load of no kind": [Insn(LDDW, src=9), Insn(0)],
    "a wide load whose second half is none": [Insn(LDDW), Insn(0, dst=1)],
}


@pytest.mark.parametrize("name", NOWHERE)
def test_some_instructions_are_refused_where_control_never_comes(both, name):
    start = [make("mov64_imm", 0, imm=0), make("jeq64_imm", 0, off=2, imm=0)]
    code = [*start, *NOWHERE[name], make("exit")]
    verdict, (accepted, words) = both.ebee(code, "xdp"), both.kernel(code, "xdp")
    assert not accepted
    assert words.startswith(verdict.message)


def test_offsets_of_wide_loads_are_refused_only_where_control_comes(both):
    wide = [Insn(LDDW, off=1), Insn(0), make("exit")]
    dead = [make("mov64_imm", 0, imm=0), make("jeq64_imm", 0, off=2, imm=0), *wide]
    assert both.ebee(dead, "xdp").accepted == both.kernel(dead, "xdp")[0] is True
    verdict, (accepted, words) = both.ebee(wide, "xdp"), both.kernel(wide, "xdp")
    assert not accepted
    assert words.startswith(verdict.message)


def test_loads_that_acquire_came_with_linux_6_15(both):
    code = parse("*(u64 *)(r10 -8) = 1; r0 = load_acquire((u64 *)(r10 -8)); r0 = 0; exit").insns
    assert both.ebee(code, "xdp").accepted == both.kernel(code, "xdp")[0]
    older = both.ebee(code, "xdp", profile("6.12"))
    assert older.message == "BPF_ATOMIC uses invalid atomic opcode 100"


@pytest.fixture(scope="module")
def wide():
    return script("fuzz_wide").both()


def test_a_tail_call_leaves_nothing_in_r0(wide):
    """Its prototype returns nothing, what C declares does."""
    index = list(script("fuzz_wide").NAMES).index("programs")
    code = parse("r6 = r1; r2 = map[fd:0]; r3 = 0; call 12; exit").insns
    code[1] = code[1]._replace(imm=wide.fds[index])
    assert wide.ebee(code, "xdp:37").message == "R0 !read_ok"
    assert wide.kernel(code, "xdp:37")[1].startswith("R0 !read_ok")


PACKET = ("r6 = r1; r7 = *(u32 *)(r6 +0); r8 = *(u32 *)(r6 +4); r4 = r7; r4 += 8;"
          "if r4 > r8 goto out; r1 = r6")  # fmt: skip
CALL = "r2 = map[fd:0]; r3 = 0; call 12"
TAIL_CALLS = {
    "the program called returns anything": (
        f"call f; if r0 == 0 goto out; r0 = *(u8 *)(r10 +5); out: r0 = 0; exit; f: {CALL};"
        "r0 = 0; exit", False),
    "the packet is where it was, where it fails": (
        f"{PACKET}; {CALL}; r0 = *(u8 *)(r7 +0); out: r0 = 0; exit", True),
    "it may be elsewhere behind a function": (
        f"{PACKET}; call f; r0 = *(u8 *)(r7 +0); out: r0 = 0; exit; f: {CALL}; r0 = 0; exit",
        False),
}  # fmt: skip


@pytest.mark.parametrize("name", TAIL_CALLS)
def test_tail_calls_fail_or_return_from_another_program(wide, name):
    text, right = TAIL_CALLS[name]
    fd = wide.fds[list(script("fuzz_wide").NAMES).index("programs")]
    code = [i._replace(imm=fd) if i.op == LDDW else i for i in parse(text).insns]
    assert wide.ebee(code, "xdp:37").accepted == right
    assert not wide.ebee(code, "xdp:37", profile("6.18.0")).accepted
    first = name.startswith("the program")
    assert wide.ebee(code, "xdp:37", profile("6.12")).accepted == first
    if level() >= (6, 18, 44):
        assert wide.kernel(code, "xdp:37")[0] == right


ORDERS = {
    "of a constant": "r0 = 0x1122; r0 = bswap16 r0; if r0 == 0x2211 goto ok",
    "twice": "r0 = 0x1122; r0 = be64 r0; r0 = be64 r0; if r0 == 0x1122 goto ok",
    "of a byte": "call 7; r0 &= 0xff; r0 = be32 r0; r0 >>= 24; if r0 < 256 goto ok",
    "that is the machine's": "call 7; r0 = le16 r0; if r0 < 0x10000 goto ok",
    "of eight bytes": "call 7; r0 &= 0xff; r0 = le64 r0; if r0 < 256 goto ok",
}


@pytest.mark.parametrize("name", ORDERS)
def test_what_is_known_of_bits_is_known_in_another_order(both, name):
    code = parse(f"{ORDERS[name]}; r0 = *(u8 *)(r10 +5); ok: r0 = 0; exit").insns
    assert both.ebee(code, "xdp").accepted
    assert not both.ebee(code, "xdp", profile("6.12")).accepted
    if level() >= (6, 18, 44):
        assert both.kernel(code, "xdp")[0]


LOOP = "r1 = 0; r2 = subprog[cb]; r3 = r10; r4 = 0; call 181"  # bpf_loop() of no rounds
FUNCTIONS = {
    "alone": (f"{LOOP}; r0 = 0; exit; cb: r0 = 0; exit", True),
    "last": (f"{LOOP}; call b; r0 = 0; exit; b: r0 = 0; exit; cb: r0 = 0; exit", False),
    "not last": (f"{LOOP}; call b; r0 = 0; exit; cb: r0 = 0; exit; b: r0 = 0; exit", True),
    "called": (f"{LOOP}; call cb; r0 = 0; exit; cb: r0 = 0; exit", True),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_are_taken_and_never_called(wide, name):
    """Code that control never comes to is removed, and with it the last function."""
    text, right = FUNCTIONS[name]
    code = parse(text).insns
    assert wide.kernel(code, "xdp:37")[0] == wide.ebee(code, "xdp:37").accepted == right


@pytest.mark.parametrize("hook", ["perf_event:0", "tracepoint:0", "kprobe:0", "raw_tracepoint:0"])
def test_only_what_functions_call_knows_their_address(wide, hook):
    code = parse("call 173; r0 = 0; exit").insns
    right = hook == "kprobe:0"
    assert wide.kernel(code, hook)[0] == wide.ebee(code, hook).accepted == right


def test_programs_at_devices_of_control_groups_have_kernel_functions(wide):
    number = script("fuzz_wide").kfunc("bpf_throw")
    code = [*parse("r1 = 0; r0 = 0").insns, Insn(0x85, 0, 2, 0, number), make("exit")]
    assert wide.kernel(code, "cgroup_dev:6")[0] == wide.ebee(code, "cgroup_dev:6").accepted is True


FAST = {
    "removed": ("*(u64 *)(r10 -8) = r1; call 8; r1 = *(u64 *)(r10 -8)", True),
    "around another call, too": ("*(u64 *)(r10 -8) = r1; call 8; r1 = *(u64 *)(r10 -8);"
                                 "*(u64 *)(r10 -8) = r1; call 5; r1 = *(u64 *)(r10 -8)", False),
    "read elsewhere": ("*(u64 *)(r10 -8) = r1; call 8; r1 = *(u64 *)(r10 -8);"
                       "r2 = *(u64 *)(r10 -8)", False),
    "of another register": ("*(u64 *)(r10 -8) = r1; call 8; r2 = *(u64 *)(r10 -8)", False),
    "around no such call": ("*(u64 *)(r10 -8) = r1; call 5; r1 = *(u64 *)(r10 -8)", False),
}  # fmt: skip


@pytest.mark.parametrize("name", FAST)
def test_registers_saved_around_fast_calls_take_no_stack(wide, name):
    text, right = FAST[name]
    code = parse(f"*(u64 *)(r10 -512) = r1; call f; exit; f: {text}; r0 = 0; exit").insns
    assert wide.kernel(code, "xdp:37")[0] == wide.ebee(code, "xdp:37").accepted == right


def test_flags_of_branch_snapshots_are_not_looked_at(wide):
    code = parse("r1 = r10; r1 += -8; r2 = 8; call 176; r0 = 0; exit").insns
    for hook in ("tracepoint:0", "perf_event:0"):
        assert wide.kernel(code, hook)[0] == wide.ebee(code, hook).accepted is True


def test_in_6_12_programs_at_operations_of_sockets_had_only_common_kernel_functions(wide):
    number = script("fuzz_wide").kfunc("bpf_throw")
    code = [*parse("r1 = 0; r0 = 0").insns, Insn(0x85, 0, 2, 0, number), make("exit")]
    assert wide.ebee(code, "sock_ops:3", profile("6.18")).accepted
    older = wide.ebee(code, "sock_ops:3", profile("6.12"))
    assert older.message == "calling kernel function bpf_throw is not allowed"
    if level()[:2] in ((6, 12), (6, 18)):
        assert wide.kernel(code, "sock_ops:3")[0] == (level()[:2] == (6, 18))


@pytest.mark.parametrize(
    ("hook", "number", "before"),
    [("xdp:37", 15, False), ("cgroup_sock:2", 15, True), ("cgroup_skb:0", 16, False),
     ("tracepoint:0", 55, True), ("sk_msg:7", 15, True), ("tc:0", 17, True)],
)  # fmt: skip
def test_helpers_of_tasks_became_common_in_6_16(wide, hook, number, before):
    code = parse(f"r0 = 0; call {number}; r0 = 1; exit").insns
    refused = "program of this type cannot use helper"
    for version, right in (("6.12", before), ("6.18", True)):
        found = wide.ebee(code, hook, profile(version))
        assert found.message.startswith(refused) != right
        if level()[:2] == tuple(map(int, version.split("."))):
            assert wide.kernel(code, hook)[1].startswith(refused) != right


FETCHED = {
    "into an argument's register": ("r1 = atomic_xchg((u32 *)(r10 -16), r1)", "r1", False),
    "into another one's": ("r4 = 5; r4 = atomic_fetch_add((u32 *)(r10 -16), r4)", "r4", True),
    "loaded": ("r1 = *(u32 *)(r10 -16)", "r1", True),
}


@pytest.mark.parametrize("name", FETCHED)
def test_what_is_called_back_later_compares_what_it_fetched(wide, name):
    """Linux does not know that the instruction writes the register, and looks for the call that
    gave it."""
    fetch, register, right = FETCHED[name]
    fd = wide.fds[list(script("fuzz_wide").NAMES).index("timed")]
    code = parse(
        "*(u64 *)(r10 -8) = 0; r2 = r10; r2 += -8; r1 = map[fd:0]; call 1; if r0 == 0 goto out;"
        "r1 = r0; r2 = subprog[later]; call 170; out: r0 = 0; exit;"
        f"later: *(u64 *)(r10 -16) = 1; {fetch}; if {register} != 7 goto +0; r0 = 0; exit"
    ).insns
    code = [i._replace(imm=fd) if i.op == LDDW and i.src == 1 else i for i in code]
    assert wide.ebee(code, "lwt_xmit:0").accepted == right
    assert level() < (6, 18, 44) or wide.kernel(code, "lwt_xmit:0")[0] == right
