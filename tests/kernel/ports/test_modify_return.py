"""Follows the selftests fexit_test, fentry_test and modify_return: programs around functions of
the kernel see arguments of all widths and the result, and change it, in order."""

import errno

import pytest

from ebee import Global, fentry, fexit, fmod_ret, i8, i16, i32, u32, u64

pytestmark = pytest.mark.kernel
SINCE = "6.7"  # bpf_modify_return_test2
FOLLOWS = {
    "prog_tests/fexit_test.c: fexit_test_common": 25,
    "progs/fexit_test.c": 68,
    "prog_tests/fentry_test.c: fentry_test_common": 25,
    "prog_tests/modify_return.c: run_test, serial_test_modify_return": 39,
    "progs/modify_return.c": 64,
}

wanted: Global[i32] = 0
right: Global[u64] = 0
step: Global[u32] = 0
step2: Global[u32] = 0
order: Global[u32] = 0
order2: Global[u32] = 0


@fentry("bpf_fentry_test1")
def enter1(a: i32) -> None:
    global right
    right |= u64(a == 1) << 0


@fexit("bpf_fentry_test1")
def leave1(a: i32, result: i32) -> None:
    global right
    right |= u64(a == 1 and result == 2) << 1


@fexit("bpf_fentry_test2")
def leave2(a: i32, b: u64, result: i32) -> None:
    global right
    right |= u64(a == 2 and b == 3 and result == 5) << 2


@fexit("bpf_fentry_test3")
def leave3(a: i8, b: i32, c: u64, result: i32) -> None:
    global right
    right |= u64(a == 4 and b == 5 and c == 6 and result == 15) << 3


@fexit("bpf_fentry_test4")
def leave4(a: u64, b: i8, c: i32, d: u64, result: i32) -> None:
    global right
    right |= u64(a == 7 and b == 8 and c == 9 and d == 10 and result == 34) << 4


@fexit("bpf_fentry_test5")
def leave5(a: u64, b: u64, c: i16, d: i32, e: u64, result: i32) -> None:
    global right
    fine = a == 11 and b == 12 and c == 13 and d == 14 and e == 15 and result == 65
    right |= u64(fine) << 5


@fexit("bpf_fentry_test6")
def leave6(a: u64, b: u64, c: i16, d: i32, e: u64, f: u64, result: i32) -> None:
    global right
    fine = a == 16 and b == 17 and c == 18 and d == 19 and e == 20 and f == 21 and result == 111
    right |= u64(fine) << 6


@fexit("bpf_fentry_test7")
def leave7(arg, result: i32) -> None:
    global right
    right |= u64(arg is None) << 7


@fentry("bpf_modify_return_test")
def before(a: i32, b: u64) -> None:
    global step, order
    step += 1
    order |= u32(step == 1) << 0


@fmod_ret("bpf_modify_return_test")
def instead(a: i32, b: u64, result: i32) -> i32:
    global step, order
    step += 1
    order |= u32(step == 2 and result == 0) << 1
    return wanted


@fexit("bpf_modify_return_test")
def behind(a: i32, b: u64, result: i32) -> None:
    global step, order
    step += 1
    order |= u32(step == 3 and result == (wanted or i32(4))) << 2


@fentry("bpf_modify_return_test2")
def before2(a: i32, b: u64, c: i16, d: i32, e: u64, f: i8, g: i32) -> None:
    global step2, order2
    step2 += 1
    order2 |= u32(step2 == 1) << 0


@fmod_ret("bpf_modify_return_test2")
def instead2(a: i32, b: u64, c: i16, d: i32, e: u64, f: i8, g: i32, result: i32) -> i32:
    global step2, order2
    step2 += 1
    order2 |= u32(step2 == 2 and result == 0) << 1
    return wanted


@fexit("bpf_modify_return_test2")
def behind2(a: i32, b: u64, c: i16, d: i32, e: u64, f: i8, g: i32, result: i32) -> None:
    global step2, order2
    step2 += 1
    order2 |= u32(step2 == 3 and result == (wanted or i32(29))) << 2


AROUND = ("before", "instead", "behind", "before2", "instead2", "behind2")


def test_arguments_and_results(port):
    names = ("enter1", *(f"leave{i}" for i in range(1, 8)))
    loaded = port(*names)
    for _ in range(2):  # attached, taken away, attached again
        loaded.variables["right"].value = 0
        links = [program.attach() for program in loaded.programs.values()]
        assert loaded.programs["leave1"].test_run().retval == 0
        for link in links:
            link.close()
        assert loaded.variables["right"].value == 0xFF
    loaded.variables["right"].value = 0
    loaded.programs["leave1"].test_run()
    assert loaded.variables["right"].value == 0


@pytest.mark.parametrize(
    ("wanted", "side_effect", "result"), [(0, 2, 33), (-errno.EINVAL, 0, -2 * errno.EINVAL)]
)
def test_results_are_changed(port, wanted, side_effect, result):
    loaded = port(*AROUND, wanted=wanted)
    for program in loaded.programs.values():
        program.attach()
    found = loaded.programs["instead"].test_run().retval
    assert (found >> 16 & 0xFFFF, found & 0xFFFF) == (side_effect, result & 0xFFFF)
    assert loaded.variables["order"].value == loaded.variables["order2"].value == 0b111
