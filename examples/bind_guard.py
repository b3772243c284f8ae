"""A control group's processes may only make IP sockets of TCP and UDP, and listen only on ports
from `first` to `last`.

    $ ebee run examples/bind_guard.py --cgroup /sys/fs/cgroup/my.slice
    a raw socket: EPERM; binding port 8099: EPERM; port 9000: allowed
"""

from ebee import AF_INET, AF_INET6, Access, Const, SockContext, cgroup_sock, u32

STREAM, DATAGRAM = 1, 2

first: Const[u32] = 9000
last: Const[u32] = 9999


@cgroup_sock("create")
def creates(ctx: SockContext) -> Access:
    if ctx.family in (AF_INET, AF_INET6) and ctx.type not in (STREAM, DATAGRAM):
        return Access.DENY
    return Access.ALLOW


@cgroup_sock("post_bind4")
def binds(ctx: SockContext) -> Access:
    return Access.ALLOW if first <= ctx.src_port <= last else Access.DENY
