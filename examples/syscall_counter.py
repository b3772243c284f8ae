"""System calls by process id and number.

ebee run examples/syscall_counter.py
a process that calls getppid() 100 times: calls = {{pid: 4711, number: 110}: 100}
"""

from ebee import Hash, RawContext, atomic_add, bpf, raw_tracepoint, struct, u32, u64


@struct
class Call:
    pid: u32
    number: u32


calls = Hash[Call, u64](max_entries=10240)


@raw_tracepoint("sys_enter")
def syscall_counter(ctx: RawContext) -> int:
    key = Call(pid=bpf.get_current_pid_tgid() >> 32, number=ctx.args[1])
    count = calls.lookup(key)
    if count is None:
        calls[key] = u64(1)
    else:
        atomic_add(count[0], 1)
    return 0
