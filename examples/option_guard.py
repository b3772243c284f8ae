"""A control group's processes may not make the receive buffers of their sockets larger than
`largest`: larger values are made smaller before the kernel sees them.

    $ ebee run examples/option_guard.py --cgroup /sys/fs/cgroup/my.slice
    setsockopt(SO_RCVBUF, 1000000): the kernel is asked for 65536, lowered = 1
"""

from ebee import Access, Const, Global, SockoptContext, cgroup_sockopt, struct, u32, u64

SOL_SOCKET, SO_RCVBUF = 1, 8

largest: Const[u32] = 65536
lowered: Global[u64] = 0


@struct
class Number:
    value: u32


@cgroup_sockopt("set")
def option_guard(ctx: SockoptContext) -> Access:
    global lowered
    if ctx.level != SOL_SOCKET or ctx.optname != SO_RCVBUF:
        return Access.ALLOW
    number = ctx.packet().take(Number)
    if number is not None and number.value > largest:
        number.value = u32(largest)
        lowered += 1
    return Access.ALLOW
