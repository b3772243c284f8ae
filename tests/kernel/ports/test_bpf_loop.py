"""Follows the selftest bpf_loop: a function that the kernel calls many times, and what ends it."""

import errno
from struct import pack

import pytest

from ebee import Global, Hash, bpf, func, i64, ptr, struct, syscall, u8, u32, u64

pytestmark = pytest.mark.kernel
SINCE = "5.17"
FOLLOWS = {"prog_tests/bpf_loop.c": 142, "progs/bpf_loop.c": 158}


@struct
class Asked:
    rounds: u32
    stop: u32
    inner: u32
    flags: u32


@struct
class Sum:
    total: u64
    stop: u32
    inner: u32


rounds: Global[i64] = 0
total: Global[u64] = 0
numbers = Hash[u32, u32](max_entries=32)


@func
def add(index: u32, s: ptr[Sum]) -> i64:
    if index >= s.stop:
        return 1
    s.total += index
    return 0


@func
def nothing(index: u32, s: ptr[Sum]) -> i64:
    return 0


@func
def inner(index: u32, s: ptr[Sum]) -> i64:
    global rounds
    rounds += bpf.loop(s.inner, add, s, 0)
    return 0


@func
def outer(index: u32, s: ptr[Sum]) -> i64:
    bpf.loop(s.inner, inner, s, 0)
    return 0


@syscall
def once(asked: Asked) -> int:
    global rounds, total
    s = Sum(stop=asked.stop)
    rounds = bpf.loop(asked.rounds, add, s, asked.flags)
    total = s.total
    return 0


@syscall
def without_data(asked: Asked) -> int:
    global rounds
    rounds = bpf.loop(asked.rounds, nothing, None, 0)
    return 0


@syscall
def nested(asked: Asked) -> int:
    global total
    s = Sum(stop=asked.stop, inner=asked.inner)
    bpf.loop(asked.rounds, outer, s, 0)
    total = s.total
    return 0


@syscall
def plain(asked: Asked) -> int:
    """The same with loops of Python's, which are compiled to such functions."""
    global total
    for i in range(min(asked.rounds, u32(1 << 20))):
        if i >= asked.stop:
            break
        total += i
    return 0


@syscall
def stacks(asked: Asked) -> int:
    """What is on the stack survives the calls."""
    a, b, c = numbers.get(1, 0), numbers.get(2, 0), numbers.get(3, 0)
    bpf.loop(1, inner_stack, None, 0)
    numbers[1], numbers[2], numbers[3] = a + 1, b + 1, c + 1
    return 0


@func
def inner_stack(index: u32, s: ptr[u8]) -> i64:
    d, e, f = numbers.get(4, 0), numbers.get(5, 0), numbers.get(6, 0)
    bpf.loop(1, nothing, None, 0)
    numbers[4], numbers[5], numbers[6] = d + 1, e + 1, f + 1
    return 0


@pytest.fixture
def run(port):
    """Run a program: what bpf_loop gave, and the sum."""
    loaded = port()

    def ask(program, rounds=0, stop=0xFFFFFFFF, inner=0, flags=0):
        asked = pack("<4I", rounds, stop, inner, flags)
        loaded.programs[program].test_run(ctx=asked)
        return loaded.variables["rounds"].value, loaded.variables["total"].value

    ask.loaded = loaded
    return ask


@pytest.mark.parametrize("rounds", [0, 500])
def test_it_is_called_so_often(run, rounds):
    assert run("once", rounds) == (rounds, sum(range(rounds)))


def test_too_many_calls(run):
    assert run("once", (1 << 23) + 1)[0] == -errno.E2BIG


def test_the_function_ends_it(run):
    assert run("once", 400, stop=50) == (51, sum(range(50)))
    assert run("plain", 400, stop=50)[1] == 2 * sum(range(50))


def test_data_may_be_left_away(run):
    assert run("without_data", 10)[0] == 10


def test_there_are_no_flags(run):
    assert run("once", 1, flags=1)[0] == -errno.EINVAL


def test_loops_in_loops(run):
    assert run("nested", 100, inner=4) == (100 * 4 * 4, 100 * 4 * sum(range(4)))


def test_the_stack_stays_as_it_is(run):
    numbers = run.loaded.maps["numbers"]
    numbers.update({n: n for n in range(1, 7)})
    run("stacks")
    assert dict(numbers) == {n: n + 1 for n in range(1, 7)}
