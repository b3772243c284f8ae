"""Follows the selftest bpf_cookie: one program in several places, each with a number of its own."""

import ctypes
import mmap
import os
import time

import pytest

from ebee import (  # isort: skip
    LSM, Global, PerfEventContext, RegistersContext, TraceContext, bpf, current, fentry, fexit,
    fmod_ret, i32, lsm, perf_event, tp_btf, u32, u64, uprobe, uretprobe,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "6.10"  # cookies of raw tracepoints
FOLLOWS = {
    "prog_tests/bpf_cookie.c: uprobe_subtest, pe_subtest, burn_cpu, tracing_subtest, lsm_subtest,"
    " tp_btf_subtest": 197,
    "progs/test_bpf_cookie.c: update, handle_uprobe, handle_uretprobe, handle_pe, handle_tp_btf,"
    " fentry_test1, fexit_test1, fmod_ret_test, test_int_hook": 49,
}

process: Global[u32] = 0
at_entry: Global[u64] = 0
at_return: Global[u64] = 0
of_event: Global[u64] = 0
of_tracepoint: Global[u64] = 0
of_fentry: Global[u64] = 0
of_fexit: Global[u64] = 0
of_fmod_ret: Global[u64] = 0
of_lsm: Global[u64] = 0


@uprobe("libc:getpgid")
def enters(ctx: RegistersContext) -> None:
    global at_entry
    if current.tgid == process:
        at_entry |= bpf.get_attach_cookie(ctx)


@uretprobe("libc:getpgid")
def returns(ctx: RegistersContext) -> None:
    global at_return
    if current.tgid == process:
        at_return |= bpf.get_attach_cookie(ctx)


@perf_event
def ticks(ctx: PerfEventContext) -> None:
    global of_event
    if current.tgid == process:
        of_event |= bpf.get_attach_cookie(ctx)


@tp_btf("sys_enter")
def calls(ctx: TraceContext, regs, number) -> None:
    global of_tracepoint
    if current.tgid == process:
        of_tracepoint |= bpf.get_attach_cookie(ctx)


@fentry("bpf_fentry_test1")
def begins(ctx: TraceContext, a: i32) -> None:
    global of_fentry
    of_fentry |= bpf.get_attach_cookie(ctx)


@fexit("bpf_fentry_test1")
def ends(ctx: TraceContext, a: i32, result: i32) -> None:
    global of_fexit
    of_fexit |= bpf.get_attach_cookie(ctx)


@fmod_ret("bpf_modify_return_test")
def instead(ctx: TraceContext, a: i32, b: u64, result: i32) -> i32:
    global of_fmod_ret
    of_fmod_ret |= bpf.get_attach_cookie(ctx)
    return 0


@lsm("file_mprotect")
def guards(ctx: TraceContext, vma, wanted, protection, before) -> LSM:
    global of_lsm
    if current.tgid == process:
        of_lsm |= bpf.get_attach_cookie(ctx)
    return LSM.ALLOW


def value(loaded, name):
    return loaded.variables[name].value


def test_probes_of_processes(port, me):
    loaded = port("enters", "returns", process=me)
    for name, numbers in (("enters", (0x10000, 0x20000)), ("returns", (0x40000, 0x80000))):
        for number in numbers:
            loaded.programs[name].attach(cookie=number, pid=me)
    ctypes.CDLL(None).getpgid(0)
    assert (value(loaded, "at_entry"), value(loaded, "at_return")) == (0x30000, 0xC0000)


def test_events(port, me):
    """The second link has another number."""
    loaded = port("ticks", process=me)
    for number in (0x100000, 0x200000):
        loaded.variables["of_event"].value = 0
        with loaded.programs["ticks"].attach(pid=me, frequency=1000, cookie=number):
            end = time.monotonic() + 10
            while not value(loaded, "of_event") and time.monotonic() < end:
                sum(range(10000))
        assert value(loaded, "of_event") == number


def test_tracepoints(port, me):
    loaded = port("calls", process=me)
    for number in (0x11000000000000, 0x22000000000000):
        with loaded.programs["calls"].attach(cookie=number):
            os.getppid()
    assert value(loaded, "of_tracepoint") == 0x33000000000000


def test_functions_of_the_kernel(port):
    """Also when the same program has been there before with another number."""
    loaded = port("begins", "ends", "instead")
    for number in (1, 2):
        links = [
            program.attach(cookie=number << 8 * i)
            for i, program in enumerate(loaded.programs.values())
        ]
        loaded.programs["begins"].test_run()
        loaded.programs["instead"].test_run()
        for link in links:
            link.close()
    names = ("of_fentry", "of_fexit", "of_fmod_ret")
    assert [value(loaded, name) for name in names] == [3, 3 << 8, 3 << 16]


def test_security_hooks(port, me):
    loaded = port("guards", process=me)
    place = mmap.mmap(-1, mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(place))
    with loaded.programs["guards"].attach(cookie=0x90000000000090):
        assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(address), mmap.PAGESIZE, 1) == 0
    assert value(loaded, "of_lsm") == 0x90000000000090
