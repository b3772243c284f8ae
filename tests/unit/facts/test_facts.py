"""What the facts know of programs as compilers write them, and what they must not claim."""

from __future__ import annotations

import pytest

from ebee.isa import parse
from ebee.machine.code import Code
from ebee.verifier.kinds import _Pass

from .author import Author
from .witness import Witness

pytestmark = pytest.mark.unit

PACKET = "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\n"
"""r2 the packet, r3 its end."""


class Proof:
    """A program and its facts; places in it are labels."""

    def __init__(self, witness: Witness, text: str):
        self.labels = parse(text).labels
        self.code: Code = witness.prepare(text)
        for length in (0, 14, 64, 300, 600):
            witness.watch(self.code, bytes(i * 7 & 255 for i in range(length)), steps=5000)

    def reg(self, label: str, register: int):
        return self.code.facts.reg(self.labels[label], register)

    def readable(self, label: str) -> bool:
        """Whether the load at a label is proved to stay in the packet."""
        insn = self.code.insns[self.labels[label]]
        form = self.code.forms[self.labels[label]]
        fact = self.reg(label, insn.src if form.kind == "load" else insn.dst).at(insn.off)
        return fact.within(0, 1 << 31, form.size) and form.size <= fact.reach

    def runs(self, label: str) -> int | None:
        return self.code.facts.runs.get(self.labels[label])


@pytest.fixture(scope="module")
def witness():
    made = Witness()
    yield made
    made.machine.close()


@pytest.fixture
def prove(witness):
    return lambda text: Proof(witness, text)


# --- the packet's end ----------------------------------------------------------------------------

GO = "r0 = *(u8 *)(r2 +13)"
CHECKS = {  # r4 = r2 + 14: comparisons that leave 14 bytes, and where they lead
    "r4 > r3": "out", "r3 < r4": "out", "r4 s> r3": "out", "r3 s< r4": "out",
    "r4 <= r3": "in", "r3 >= r4": "in", "r4 s<= r3": "in", "r3 s>= r4": "in",
    "r4 == r3": "in", "r3 == r4": "in", "r4 != r3": "out", "r3 != r4": "out",
    "r4 >= r3": "out", "r3 <= r4": "out", "r4 < r3": "in", "r3 > r4": "in",
}  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_every_form_of_a_bounds_check_is_understood(prove, check):
    if CHECKS[check] == "out":
        text = f"if {check} goto out\nyes: {GO}\nexit\nout: {GO}\nexit"
    else:
        text = f"if {check} goto yes\nout: {GO}\nexit\nyes: {GO}\nexit"
    proof = prove(f"{PACKET}r4 = r2\nr4 += 14\n{text}")
    assert proof.readable("yes")
    assert not proof.readable("out")


@pytest.mark.parametrize(("check", "more"), [("r4 >= r3", 1), ("r4 > r3", 0), ("r4 != r3", 0)])
def test_a_strict_comparison_leaves_one_byte_more(prove, check, more):
    proof = prove(f"{PACKET}r4 = r2\nr4 += 14\nif {check} goto out\nyes: {GO}\nout: r0 = 0\nexit")
    assert proof.reg("yes", 2).reach == 14 + more


def test_a_check_in_32_bits_proves_nothing(prove):
    proof = prove(f"{PACKET}r4 = r2\nr4 += 14\nif w4 > w3 goto out\nyes: {GO}\nout: r0 = 0\nexit")
    assert not proof.readable("yes")


def test_a_check_that_an_address_may_wrap_around_proves_nothing(prove):
    proof = prove(
        f"{PACKET}r5 = *(u64 *)(r10 -8)\nr4 = r2\nr4 += r5\nr5 = r4\nr5 += 8\n"
        "if r5 > r3 goto out\nyes: r0 = *(u64 *)(r4 +0)\nout: r0 = 0\nexit"
    )
    assert not proof.readable("yes")


def test_where_ways_meet_the_shorter_check_counts(prove):
    proof = prove(
        f"{PACKET}r0 = 0\nr4 = r2\nr4 += 20\nr5 = r2\nr5 += 14\nif r4 > r3 goto small\ngoto both\n"
        f"small: if r5 > r3 goto out\nboth: {GO}\nfar: r0 = *(u8 *)(r2 +14)\nout: exit"
    )
    assert proof.readable("both")
    assert not proof.readable("far")


@pytest.mark.parametrize("helper", [44, 65, 54])
def test_a_helper_that_moves_the_packet_ends_what_is_known(prove, helper):
    proof = prove(
        f"r6 = r1\n{PACKET}r4 = r2\nr4 += 14\nif r4 > r3 goto out\nr7 = r2\nr1 = r6\nr2 = 0\n"
        f"call {helper}\nold: r0 = *(u8 *)(r7 +0)\nr2 = *(u32 *)(r6 +0)\nnew: {GO}\n"
        "out: r0 = 0\nexit"
    )
    assert proof.reg("old", 7).kind == "unknown"
    assert not proof.readable("new")


def test_a_function_that_moves_the_packet_does_so_for_its_callers(prove):
    proof = prove(
        f"r6 = r1\n{PACKET}r4 = r2\nr4 += 14\nif r4 > r3 goto out\nr7 = r2\nr1 = r6\n"
        "call func_move\nold: r0 = *(u8 *)(r7 +0)\nout: r0 = 0\nexit\n"
        "func_move: r2 = 0\ncall 44\nr0 = 0\nexit"
    )
    assert proof.reg("old", 7).kind == "unknown"


def test_metadata_ends_where_the_packet_begins(prove):
    proof = prove(
        f"r5 = *(u32 *)(r1 +8)\n{PACKET}r4 = r5\nr4 += 4\nif r4 > r2 goto out\n"
        "yes: r0 = *(u32 *)(r5 +0)\nno: r0 = *(u8 *)(r5 +4)\nout: r0 = 0\nexit"
    )
    assert proof.readable("yes")
    assert not proof.readable("no")


# --- offsets that vary ---------------------------------------------------------------------------


def test_a_header_of_variable_length(prove):
    """IPv4: a length from the packet, a pointer behind it, a check of that pointer."""
    proof = prove(
        f"{PACKET}r0 = 0\nr4 = r2\nr4 += 34\nif r4 > r3 goto out\nr5 = *(u8 *)(r2 +14)\n"
        "w5 <<= 2\nw5 &= 60\nif w5 < 20 goto out\nr4 = r2\nr4 += 14\nr4 += r5\n"
        "r5 = r4\nr5 += 8\nif r5 > r3 goto out\nyes: r0 = *(u64 *)(r4 +0)\n"
        "no: r0 = *(u8 *)(r4 +8)\nout: exit"
    )
    assert proof.reg("yes", 4).span == (34, 74)
    assert proof.readable("yes")
    assert not proof.readable("no")


def test_a_check_behind_a_variable_length_holds_for_the_pointer_before_it(prove):
    proof = prove(
        f"{PACKET}r0 = 0\nr5 = *(u8 *)(r10 -1)\nr4 = r2\nr4 += 14\nr1 = r4\nr1 += r5\nr1 += 2\n"
        "if r1 > r3 goto out\nyes: r0 = *(u16 *)(r4 +0)\nno: r0 = *(u16 *)(r4 +1)\nout: exit"
    )
    assert proof.readable("yes")
    assert not proof.readable("no")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("w4 &= 7", (0, 7)),
        ("if r4 > 9 goto out", (0, 9)),
        ("if w4 s> 9 goto out", None),  # the upper half may be anything
        ("r4 = *(u8 *)(r10 -1)\nif w4 s> 9 goto out", (0, 9)),
        ("r4 = *(u8 *)(r10 -1)\nr4 <<= 2\nr4 += 8", (8, 1028)),
        ("r4 = *(u8 *)(r10 -1)\nr4 %= 10", (0, 9)),
        ("r4 = *(u8 *)(r10 -1)\nr4 /= 10", (0, 25)),
        ("r4 = *(u8 *)(r10 -1)\nr4 >>= 4", (0, 15)),
        ("r4 = *(s8 *)(r10 -1)", (-128, 127)),
        ("r4 = *(u8 *)(r10 -1)\nr4 <<= 32\nr4 s>>= 32", (0, 255)),
        ("r4 = *(u8 *)(r10 -1)\nw4 -= 1\nr4 = (s32)r4", (-(1 << 31), (1 << 31) - 1)),
        ("r4 = *(u8 *)(r10 -1)\nr4 &= 255\nr4 |= 256", (256, 511)),
        ("if r4 & 0xfffffff0 goto out", (0, 15)),
    ],
)
def test_spans_of_numbers(prove, text, span):
    proof = prove(
        f"{PACKET}r5 = r2\nr5 += 8\nr0 = 0\nif r5 > r3 goto out\nr4 = *(u64 *)(r2 +0)\n{text}\n"
        "here: r0 = r4\nout: exit"
    )
    assert proof.reg("here", 4).span == span


def test_variable_offsets_in_a_map_value_and_in_the_frame(prove):
    proof = prove(
        "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\nr1 = map[table]\ncall 1\nif r0 == 0 goto out\n"
        "r3 = *(u32 *)(r0 +0)\nw3 &= 56\nr0 += r3\nvalue: r1 = *(u64 *)(r0 +0)\n"
        "r4 = r10\nr4 += -64\nr4 += r3\nframe: *(u64 *)(r4 +0) = r1\nout: r0 = 0\nexit"
    )
    assert proof.reg("value", 0).within(0, 64, 8)
    assert not proof.reg("value", 0).within(0, 63, 8)
    assert proof.reg("frame", 4).within(-512, 0, 8)


def test_a_store_at_a_variable_offset_forgets_what_it_may_hit_only(prove):
    proof = prove(
        "r6 = *(u8 *)(r10 -100)\nr6 &= 8\n*(u64 *)(r10 -8) = 1\n*(u64 *)(r10 -16) = 2\n"
        "*(u64 *)(r10 -24) = 3\n*(u64 *)(r10 -32) = 4\nr2 = r10\nr2 += -24\nr2 += r6\n"
        "*(u64 *)(r2 +0) = 9\nr2 = *(u64 *)(r10 -8)\nr3 = *(u64 *)(r10 -16)\n"
        "r4 = *(u64 *)(r10 -24)\nr5 = *(u64 *)(r10 -32)\nhere: r0 = 0\nexit"
    )
    assert [proof.reg("here", r).offset for r in (2, 3, 4, 5)] == [1, None, None, 4]


# --- loops ---------------------------------------------------------------------------------------


def loop_over(body: str, before: str = "", room: int = 128) -> str:
    """A program that has `room` bytes of the packet at r2."""
    return (
        f"{PACKET}r0 = 0\nr4 = r2\nr4 += {room}\nif r4 > r3 goto out\n{before}\n{body}\nout: exit"
    )


@pytest.mark.parametrize(
    ("loop", "runs"),
    [
        ("r5 += 2\nif r5 != 128 goto again", 64),
        ("r5 += 2\nif r5 == 128 goto out\ngoto again", 64),
        ("r5 += 2\nif r5 < 128 goto again", 64),
        ("w5 += 2\nif w5 < 128 goto again", 64),
        ("r5 += 2\nif r5 s< 127 goto again", 64),
        ("w5 += 4\nif w5 <= 124 goto again", 32),
        ("r5 += 1\nif r5 > 126 goto out\ngoto again", 127),
    ],
)
def test_an_index_that_counts_up(prove, loop, runs):
    proof = prove(
        loop_over(f"again: r4 = r2\nr4 += r5\nat: r4 = *(u16 *)(r4 +0)\nr0 += r4\n{loop}", "r5 = 0")
    )
    assert proof.readable("at")
    assert proof.runs("at") == runs


def test_an_index_checked_at_the_head_of_the_loop(prove):
    proof = prove(
        loop_over(
            "again: if w5 > 31 goto out\nr4 = r5\nr4 <<= 2\nr1 = r2\nr1 += r4\n"
            "at: r4 = *(u32 *)(r1 +0)\nw5 += 1\ngoto again",
            "w5 = 0",
        )
    )
    assert proof.readable("at")
    assert proof.runs("at") == 33  # as often as the head


@pytest.mark.parametrize("check", ["!=", "<", "s<"])
def test_a_pointer_that_steps_to_a_fixed_end(prove, check):
    proof = prove(
        loop_over(
            f"again: at: r5 = *(u32 *)(r1 +0)\nr0 += r5\nr1 += 4\nif r1 {check} r4 goto again",
            "r1 = r2",
        )
    )
    assert proof.readable("at")
    assert proof.runs("at") == 32


def test_a_pointer_that_goes_along_with_a_counter_of_its_own(prove):
    """As in a hash that takes 12 bytes a turn while a count of words falls by 3."""
    proof = prove(
        loop_over(
            "r2 += 76\nagain: a: r5 = *(u32 *)(r2 -12)\nb: r5 = *(u32 *)(r2 +0)\nr2 += 12\n"
            "w6 += -3\nif w6 > 3 goto again\nr0 = 0",
            "w6 = 16",
        )
    )
    assert proof.readable("a")
    assert proof.readable("b")
    assert proof.runs("b") == 5


def test_a_counter_that_is_kept_on_the_stack(prove):
    proof = prove(
        loop_over(
            "again: r1 = r7\n*(u64 *)(r10 -8) = r1\nr5 = *(u64 *)(r10 -16)\nr5 += r1\n"
            "at: r4 = *(u64 *)(r5 +24)\nr7 += 32\nr6 = *(u64 *)(r10 -8)\nif r6 < 96 goto again",
            "r7 = 0\n*(u64 *)(r10 -16) = r2",
        )
    )
    assert proof.readable("at")
    assert proof.runs("at") == 4


def test_loops_in_loops(prove):
    proof = prove(
        loop_over(
            "outer: r6 = 0\ninner: r4 = r2\nr4 += r5\nr4 += r6\nat: r4 = *(u8 *)(r4 +0)\nr6 += 1\n"
            "if r6 != 16 goto inner\nr5 += 16\nif r5 != 128 goto outer",
            "r5 = 0",
        )
    )
    assert proof.readable("at")
    assert proof.runs("at") == 128


def test_a_loop_that_steps_too_far_is_not_proved(prove):
    for loop in ("r5 += 3\nif r5 != 128 goto again", "r5 += 2\nif r5 != 130 goto again"):
        proof = prove(
            loop_over(f"again: r4 = r2\nr4 += r5\nat: r4 = *(u16 *)(r4 +0)\n{loop}", "r5 = 0")
        )
        assert not proof.readable("at")


def test_a_step_that_depends_on_the_packet_is_followed_by_a_check_each_turn(prove):
    """As IPv6 extension headers are walked: at most so many turns, each with its own check."""
    proof = prove(
        loop_over(
            "again: r4 = r2\nr4 += 8\nif r4 > r3 goto out\nat: r5 = *(u8 *)(r2 +1)\nw5 <<= 3\n"
            "w5 += 8\nr2 += r5\nw6 += -1\nif w6 != 0 goto again",
            "w6 = 7",
        )
    )
    assert proof.readable("at")
    assert proof.runs("at") == 7


def test_endless_loops_have_no_count(prove):
    proof = prove(
        "r2 = 0\nagain: r2 += 1\nr3 = *(u8 *)(r10 -1)\nif r3 != 9 goto again\nr0 = 0\nexit"
    )
    assert proof.runs("again") is None


# --- functions -----------------------------------------------------------------------------------


def test_arguments_and_results_keep_ranges_and_bounds(prove):
    proof = prove(
        f"{PACKET}r0 = 0\nr4 = r2\nr4 += 64\nif r4 > r3 goto out\nr6 = r2\nr1 = r2\nr1 += 8\n"
        "r2 = 5\ncall func_get\nr6 += r0\nat: r0 = *(u8 *)(r6 +32)\nout: exit\n"
        "func_get: in: r0 = *(u8 *)(r1 +0)\nr0 &= 31\nexit"
    )
    assert proof.readable("in")
    assert proof.reg("in", 2).offset == 5
    assert proof.readable("at")


def test_a_function_called_twice_knows_what_both_calls_say(prove):
    proof = prove(
        "r1 = 5\ncall func_a\nr1 = 9\ncall func_a\nhere: exit\nfunc_a: in: r0 = r1\nr0 += 1\nexit"
    )
    assert proof.reg("in", 1).span == (5, 9)
    assert proof.reg("here", 0).span == (6, 10)


def test_a_frame_is_not_mistaken_for_another_one_of_the_same_function(prove):
    proof = prove(
        "r1 = 0\ncall func_a\nexit\nfunc_a: r0 = 7\nif r1 != 0 goto inner\nr1 = r10\n"
        "call func_a\nr0 = 0\nexit\ninner: *(u64 *)(r10 -8) = 1\n*(u64 *)(r1 -8) = 2\n"
        "r0 = *(u64 *)(r10 -8)\nhere: exit"
    )
    assert proof.reg("inner", 1).kind != "stack"
    assert proof.reg("here", 0).offset is None


# --- what is not known ---------------------------------------------------------------------------


def test_null_plus_something_is_no_pointer(prove):
    proof = prove(
        "*(u32 *)(r10 -4) = 9\nr2 = r10\nr2 += -4\nr1 = map[table]\ncall 1\nr0 += 8\n"
        "if r0 == 0 goto out\nhere: r1 = *(u8 *)(r0 +0)\nout: r0 = 0\nexit"
    )
    assert proof.reg("here", 0).kind == "unknown"


def test_what_is_known_of_a_nullable_pointer_does_not_hold_for_null(prove):
    proof = prove(
        "*(u32 *)(r10 -4) = 9\nr2 = r10\nr2 += -4\nr1 = map[table]\ncall 1\n"
        "maybe: r1 = r0\nif r1 == 0 goto out\nsure: r0 = *(u64 *)(r1 +0)\nout: r0 = 0\nexit"
    )
    assert not proof.reg("maybe", 0).within(0, 64, 8)
    assert proof.reg("sure", 1).within(0, 64, 8)


def test_control_never_comes_where_comparisons_contradict(prove):
    proof = prove("r2 = 5\nif r2 > 4 goto out\nnever: r0 = 1\nexit\nout: r0 = 0\nexit")
    assert proof.code.facts.before[proof.labels["never"]] is None


def test_an_exchange_in_the_frame_changes_register_and_frame(prove):
    proof = prove(
        "*(u64 *)(r10 -8) = 1\nr0 = 2\nr0 = atomic64_fetch_add((u64 *)(r10 -8), r0)\n"
        "r1 = *(u64 *)(r10 -8)\nhere: exit"
    )
    assert proof.reg("here", 0).offset is None
    assert proof.reg("here", 1).offset is None


@pytest.mark.parametrize(
    "call",
    [
        "r1 = map[table]\nr2 = 8\nr3 = 0\nr4 = r10\nr4 += -16\ncall 198",  # reserve_dynptr
        "r1 = r6\nr2 = 0\nr3 = r10\nr3 += -16\nr4 = 9\ncall 189",  # xdp_load_bytes
        "r1 = r6\nr2 = 0\nr3 = r10\nr3 += -16\nr4 = map[table]\ncall 189",  # no length at all
        "r1 = r6\nr2 = 0\nr3 = r10\nr3 += -16\nr4 = r10\ncall 189",
    ],
)
def test_what_a_helper_writes_over_is_known_no_more(prove, call):
    """Found by fuzzing: a parameter's size was looked up by the name of a map, whose own number
    (zero, its start) was taken for a length."""
    proof = prove(
        f"r6 = r1\n*(u64 *)(r10 -8) = r1\n*(u64 *)(r10 -24) = r1\n{call}\n"
        "over: r0 = *(u64 *)(r10 -8)\nbelow: r1 = *(u64 *)(r10 -24)\nhere: exit"
    )
    assert proof.reg("here", 0).kind == "unknown"
    assert proof.reg("here", 1).kind == "ctx"


def test_large_programs_take_few_looks(witness, monkeypatch):
    """Work stays in proportion to the program: blocks are looked at a handful of times each."""
    looks = 0
    block = _Pass.block

    def counted(self, *args):
        nonlocal looks
        looks += 1
        return block(self, *args)

    monkeypatch.setattr(_Pass, "block", counted)
    for seed in range(3):
        author = Author(seed)
        author.function(400)
        author.inside = True
        for name in ("func_a", "func_b"):
            author.emit(f"{name}:")
            author.function(10)
        looks = 0
        code = witness.prepare("\n".join(author.lines))
        assert looks < 1.5 * len(code.insns), (seed, looks)
