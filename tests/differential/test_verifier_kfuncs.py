"""Kernel functions, regions, iterators, dynptrs and kernel pointers: ebee's verdict and message
against the running kernel's, on small programs."""

import re

import pytest

from ebee import hooks, isa, maps
from ebee.btf import Btf, Func
from ebee.errors import VerifierError
from ebee.hooks.numbers import ATTACH_TYPES
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import PROG_TYPE_NAMES, LinuxProgram
from ebee.obj.spec import MapSpec
from ebee.verifier.core.check import check_program
from ebee.verifier.core.profile import PROFILES
from ebee.verifier.core.program import MapInfo, Program
from ebee.verifier.core.target import named

pytestmark = [pytest.mark.differential, pytest.mark.kernel]
RING = MapSpec("ring", "ringbuf", 0, 0, 4096)
NUMBERS = """
    r1 = r10
    r1 += -8
    r2 = 0
    r3 = 100
    call @bpf_iter_num_new
    r6 = 0
again:
    r1 = r10
    r1 += -8
    call @bpf_iter_num_next
    if r0 == 0 goto out
    r1 = *(u32 *)(r0 +0)
    r6 += r1
    goto again
out:
"""
RESERVE = """
    r1 = map[fd:0]
    r2 = 16
    r3 = 0
    r4 = r10
    r4 += -16
    call 198
"""
SUBMIT = "r1 = r10\nr1 += -16\nr2 = 0\ncall 199\n"
END = "\nr0 = 0\nexit"

PROGRAMS = {
    # name: (hook, what it is for, text)
    "an iterator": ("tc", "", NUMBERS + "r1 = r10\nr1 += -8\ncall @bpf_iter_num_destroy" + END),
    "an iterator that is lost": ("tc", "", NUMBERS + END),
    "an iterator never made": ("tc", "", "r1 = r10\nr1 += -8\ncall @bpf_iter_num_next" + END),
    "an iterator written over": ("tc", "", NUMBERS + "*(u64 *)(r10 -8) = 0" + END),
    "a record as a dynptr": ("tc", "", RESERVE + SUBMIT + END),
    "a dynptr that is lost": ("tc", "", RESERVE + END),
    "a dynptr given back twice": ("tc", "", RESERVE + SUBMIT + SUBMIT + END),
    "a dynptr that is read": ("tc", "", RESERVE + "r0 = *(u64 *)(r10 -16)\n" + SUBMIT + END),
    "half a dynptr overwritten": ("tc", "", RESERVE + "*(u32 *)(r10 -8) = 1\n" + SUBMIT + END),
    "read-locked": ("tc", "", "call @bpf_rcu_read_lock\ncall @bpf_rcu_read_unlock" + END),
    "read-locked for ever": ("tc", "", "call @bpf_rcu_read_lock" + END),
    "unlocked only": ("tc", "", "call @bpf_rcu_read_unlock" + END),
    "preemption off": ("tc", "", "call @bpf_preempt_disable" + END),
    "preemption on": ("tc", "", "call @bpf_preempt_enable" + END),
    "interrupts": ("tc", "", "r1 = r10\nr1 += -8\ncall @bpf_local_irq_save\nr1 = r10\nr1 += -8\n"
                   "call @bpf_local_irq_restore" + END),
    "interrupts off": ("tc", "", "r1 = r10\nr1 += -8\ncall @bpf_local_irq_save" + END),
    "a task": ("tp_btf", "sched_switch", "r1 = *(u64 *)(r1 +8)\nr0 = *(u32 *)(r1 +16)" + END),
    "a task acquired": ("tp_btf", "sched_switch", "r1 = *(u64 *)(r1 +8)\ncall @bpf_task_acquire\n"
                        "if r0 == 0 goto out\nr1 = r0\ncall @bpf_task_release\nout:" + END),
    "a task lost": ("tp_btf", "sched_switch", "r1 = *(u64 *)(r1 +8)\ncall @bpf_task_acquire" + END),
    "a task unchecked": ("tp_btf", "sched_switch", "r1 = *(u64 *)(r1 +8)\n"
                         "call @bpf_task_acquire\nr1 = r0\ncall @bpf_task_release" + END),
    "a store into a task": ("tp_btf", "sched_switch", "r1 = *(u64 *)(r1 +8)\n"
                            "*(u64 *)(r1 +0) = 1" + END),
    "behind a task": ("tp_btf", "sched_switch", "r1 = *(u64 *)(r1 +8)\n"
                      "r0 = *(u64 *)(r1 +30000)" + END),
    "no such argument": ("tp_btf", "sched_switch", "r1 = *(u64 *)(r1 +64)" + END),
    "not for these": ("socket_filter", "", "r1 = 1\ncall @bpf_task_from_pid" + END),
    "an exception": ("tc", "", "r1 = 0\ncall @bpf_throw" + END),
    "an exception of any number": ("xdp", "", "r1 = *(u32 *)(r1 +12)\ncall @bpf_throw" + END),
}  # fmt: skip


def assembled(text):
    """Code, with names of kernel functions in the place of their numbers."""
    btf = Btf.vmlinux()

    def number(match):
        found = btf.get(match[1], Func)
        if found is None:
            pytest.skip(f"this kernel has no {match[1]}()")
        return f"kfunc#{found.id}"

    return isa.assemble(re.sub(r"@(\w+)", number, text))


def ebee_says(code, hook, target):
    pseudo = {
        i: ("map", MapInfo("ring", maps.by_name("ringbuf"), 0, 0, 4096, 0), 0)
        for i, insn in enumerate(code)
        if insn.op == isa.insn.LDDW
    }
    program = Program("test", list(code), hooks.by_name(hook), pseudo=pseudo, attach_to=target)
    program.target = named(program)
    return check_program(program, PROFILES["6.18"])


def kernel_says(code, hook, target):
    """The kernel's log; None when it accepts."""
    found = hooks.by_name(hook)
    more = {}
    if target:
        typedef = Btf.vmlinux().find(f"btf_trace_{target}")
        more = {"attach_btf_id": typedef.id, "attach_type": ATTACH_TYPES["trace_raw_tp"]}
    with LinuxMap.from_spec(RING) as ring:
        fd = ring.fd.fileno()
        real = [i._replace(imm=fd) if i.op == isa.insn.LDDW else i for i in code]
        try:
            LinuxProgram.load(real, PROG_TYPE_NAMES[found.prog_type], **more).close()
        except VerifierError as error:
            return error.log
    return None


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_verdict_is_the_kernel_s(name):
    hook, target, text = PROGRAMS[name]
    code = assembled(text)
    verdict, log = ebee_says(code, hook, target), kernel_says(code, hook, target)
    assert verdict.outcome == ("accepted" if log is None else "rejected"), f"{verdict} / {log}"
    if log is not None:
        assert verdict.message.split("\n")[-1] in log
