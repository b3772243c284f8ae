"""Follows the selftest tailcalls: programs that go on with others, which are put in, taken out and
exchanged while they run; how far that goes, and what a program keeps."""

import pytest

from ebee import (  # isort: skip
    TC, Global, ProgArray, SkbContext, func, tc, u32,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "5.10"
FOLLOWS = {
    "prog_tests/tailcalls.c: test_tailcall_1, test_tailcall_2, test_tailcall_count,"
    " test_tailcall_3, test_tailcall_4, test_tailcall_5, test_tailcall_bpf2bpf_1,"
    " test_tailcall_bpf2bpf_2": 562,
    "progs/tailcall1.c": 35,
    "progs/tailcall2.c": 46,
    "progs/tailcall3.c": 23,
    "progs/tailcall4.c": 25,
    "progs/tailcall5.c": 30,
    "progs/tailcall_bpf2bpf1.c": 29,
    "progs/tailcall_bpf2bpf2.c": 32,
}

MOST = 33  # MAX_TAIL_CALL_CNT
FRAME = bytes(64)

jumps = ProgArray(max_entries=5)
count: Global[u32] = 0
selector: Global[u32] = 0


@tc
def c0(ctx: SkbContext) -> TC:
    jumps.call(ctx, 1)
    return 0


@tc
def c1(ctx: SkbContext) -> TC:
    jumps.call(ctx, 2)
    return 1


@tc
def c2(ctx: SkbContext) -> TC:
    return 2


@tc
def c3(ctx: SkbContext) -> TC:
    """Goes on with itself, as often as the kernel lets it."""
    global count
    count += 1
    jumps.call(ctx, 3)
    return 1


@func(inline=False)
def subprogram(ctx: SkbContext) -> u32:
    jumps.call(ctx, 4)
    return ctx.len * 2


@tc
def c4(ctx: SkbContext) -> TC:
    """The same out of a subprogram, whose frames stay on the stack."""
    global count
    count += 1
    subprogram(ctx)
    return 1


@tc
def all_in_order(ctx: SkbContext) -> TC:
    for i in (0, 1, 2, 3):
        jumps.call(ctx, i)
    return 3


@tc
def chosen(ctx: SkbContext) -> TC:
    """An index that is known only when the program runs."""
    jumps.call(ctx, selector)
    return 3


@tc
def itself(ctx: SkbContext) -> TC:
    jumps.call(ctx, 3)
    return 0


@tc
def from_a_subprogram(ctx: SkbContext) -> TC:
    """What follows a call is not reached, but what follows the subprogram is."""
    return u32(subprogram(ctx) != ctx.len * 2) + 5


@tc
def from_many(ctx: SkbContext) -> TC:
    jumps.call(ctx, 4)
    return 0


@pytest.fixture
def made(port):
    loaded = port()

    def run(name):
        return loaded.programs[name].test_run(FRAME).retval

    def put(index, name):
        loaded.maps["jumps"][index] = loaded.programs[name]

    run.put, run.jumps, run.variables = put, loaded.maps["jumps"], loaded.variables
    return run


def test_they_go_on_until_one_is_there(made):
    made.put(0, "c2")
    assert made("all_in_order") == 2
    del made.jumps[0]
    assert made("all_in_order") == 3
    made.put(1, "c2")
    assert made("all_in_order") == 2
    del made.jumps[1]
    assert made("all_in_order") == 3


def test_one_after_the_other(made):
    for i in range(3):
        made.put(i, f"c{i}")
    assert made("all_in_order") == 2
    del made.jumps[2]
    assert made("all_in_order") == 1
    del made.jumps[1]
    assert made("all_in_order") == 0
    made.put(1, "c2")
    assert made("all_in_order") == 2


def test_they_end(made):
    made.put(3, "c3")
    assert made("itself") == 1
    assert made.variables["count"].value == MOST
    made.variables["count"].value = 0
    del made.jumps[3]
    assert made("itself") == 0
    assert made.variables["count"].value == 0


def test_an_index_that_is_found_out(made):
    made.put(2, "c2")
    for number, result in ((2, 2), (1, 3), (7, 3)):
        made.variables["selector"].value = number
        assert made("chosen") == result
    del made.jumps[2]
    made.variables["selector"].value = 2
    assert made("chosen") == 3


def test_from_a_subprogram(made):
    assert made("from_a_subprogram") == 5
    made.put(4, "c2")
    assert made("from_a_subprogram") == 6


def test_subprograms_count_as_well(made):
    made.put(4, "c4")
    made("from_many")
    assert made.variables["count"].value == MOST
