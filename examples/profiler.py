"""A profiler: the stacks that run when a timer of the CPU ticks, and how often each was met.

$ ebee run examples/profiler.py
a process that computes: its stacks, with the most ticks for the innermost function
"""

from ebee import (  # isort: skip
    Hash, PerfEventContext, StackTrace, atomic_add, current, i32, perf_event, struct, u32, u64,
)  # fmt: skip

USER_STACK = 1 << 8


@struct
class Where:
    pid: u32
    user: i32  # numbers of stacks in `stacks`, or negative
    kernel: i32


stacks = StackTrace(max_entries=16384)
ticks = Hash[Where, u64](max_entries=16384)


@perf_event
def profiler(ctx: PerfEventContext) -> None:
    key = Where(
        pid=current.tgid, user=i32(stacks.id(ctx, USER_STACK)), kernel=i32(stacks.id(ctx, 0))
    )
    count = ticks.lookup(key)
    if count is None:
        ticks[key] = u64(1)
    else:
        atomic_add(count[0], 1)
