"""Round-trip times of a control group's TCP connections, by the address at the other end: smoothed,
as TCP keeps them, and the least one.

    $ ebee run examples/rtt_meter.py --cgroup /sys/fs/cgroup/my.slice
    a connection over the loopback: times = {127.0.0.1: {samples: 5, last: 31, least: 12}} (us)
"""

from ebee import Access, Hash, SockOpsContext, bpf, sock_ops, struct, u32, u64

ACTIVE_ESTABLISHED, PASSIVE_ESTABLISHED, RTT = 4, 5, 12
WANT_RTT = 1 << 3


@struct
class Times:
    samples: u64
    last: u32
    least: u32


times = Hash[u32, Times](max_entries=4096)


@sock_ops
def rtt_meter(ctx: SockOpsContext) -> Access:
    if ctx.op in (ACTIVE_ESTABLISHED, PASSIVE_ESTABLISHED):
        bpf.sock_ops_cb_flags_set(ctx, WANT_RTT)
    if ctx.op != RTT:
        return Access.ALLOW
    time = ctx.srtt_us >> 3
    entry = times.lookup(ctx.remote_ip4)
    if entry is None:
        times[ctx.remote_ip4] = Times(samples=1, last=time, least=time)
    else:
        entry.samples += 1
        entry.last = time
        entry.least = min(entry.least, time)
    return Access.ALLOW
