"""Who sends signals to whom: kill() with the name of the process that it meets, which a function of
the kernel (a kfunc) finds by its number.

    $ ebee run examples/who_signals.py
    kill(4711, 0) of a shell: {sender: 815, target: 4711, signal: 0, name: "sleep"}
"""

from typing import Literal

from ebee import RingBuf, array, char, current, i32, i64, struct, tp_btf, u32
from ebee.kfuncs import bpf_task_from_pid
from ebee.vmlinux import pt_regs

KILL = 62  # the number of the system call on x86-64


@struct
class Sent:
    sender: u32
    target: i32
    signal: i32
    name: array[char, Literal[16]]


sent = RingBuf[Sent](size=1 << 16)


@tp_btf("sys_enter")
def who_signals(registers: pt_regs, number: i64) -> None:
    if number != KILL:
        return
    target = i32(registers.di)
    with bpf_task_from_pid(target) as task:
        if task is None:
            return
        with sent.reserve() as event:
            if event is not None:
                event.sender = current.tgid
                event.target = target
                event.signal = i32(registers.si)
                event.name = task.comm
