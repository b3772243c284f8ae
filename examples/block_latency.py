"""How long block devices take for a request, by device, as a histogram: `times[device, n]` counts
requests of 2**n to 2**(n+1) microseconds.

    $ ebee run examples/block_latency.py
    after dd if=/dev/sda of=/dev/null count=1000: the counts of that device are 1000 in all
"""

from ebee import Hash, LruHash, atomic_add, func, ktime_ns, struct, tp_btf, u32, u64
from ebee.vmlinux import request

SLOTS = 32


@struct
class Slot:
    device: u32
    power: u32


started = LruHash[u64, u64](max_entries=16384)
times = Hash[Slot, u64](max_entries=4096)


@func
def power(time: u64) -> u32:
    found = u32(0)
    for _ in range(SLOTS):
        time >>= 1
        if time == 0:
            break
        found += 1
    return found


@tp_btf("block_rq_issue")
def issued(rq: request) -> None:
    started[u64(rq)] = ktime_ns()


@tp_btf("block_rq_complete")
def completed(rq: request, error: u64, length: u32) -> None:
    since = started.lookup(u64(rq))
    if since is None:
        return
    disk = rq.q.disk
    key = Slot(
        device=u32(disk.major) << 20 | u32(disk.first_minor),
        power=power((ktime_ns() - since[0]) // 1000),
    )
    count = times.lookup(key)
    if count is None:
        times[key] = u64(1)
    else:
        atomic_add(count[0], 1)
    del started[u64(rq)]
