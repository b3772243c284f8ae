"""How long threads wait for a CPU, from being woken to running, as a histogram: `waits[n]` counts
waits of 2**n to 2**(n+1) nanoseconds.

    $ ebee run examples/runqueue_latency.py
    after a while: the sum of `waits` grows, most of it is below 2**20 (a millisecond)
"""

from ebee import Array, LruHash, atomic_add, func, ktime_ns, tp_btf, u32, u64
from ebee.vmlinux import task_struct

SLOTS = 40

woken = LruHash[u32, u64](max_entries=16384)
waits = Array[u64](max_entries=SLOTS)


@func
def slot(time: u64) -> u32:
    found = u32(0)
    for _ in range(SLOTS - 1):
        time >>= 1
        if time == 0:
            break
        found += 1
    return found


@tp_btf("sched_wakeup")
def wakes(task: task_struct) -> None:
    woken[u32(task.pid)] = ktime_ns()


@tp_btf("sched_switch")
def switches(preempt: bool, before: task_struct, after: task_struct) -> None:
    pid = u32(after.pid)
    since = woken.lookup(pid)
    if since is None:
        return
    count = waits.lookup(slot(ktime_ns() - since[0]))
    del woken[pid]
    if count is not None:
        atomic_add(count[0], 1)
