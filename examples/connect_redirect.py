"""Sends the connections of a control group's processes elsewhere: those to `service` go to ports of
the loopback, by a table; to ports that are not in it they are denied.

ebee run examples/connect_redirect.py --cgroup /sys/fs/cgroup/my.slice
with ports = {80: 8080}: 10.11.12.13:80 is 127.0.0.1:8080; port 81 fails with EPERM
"""

from ebee import Access, Const, Hash, SockAddrContext, cgroup_sock_addr, u16, u32

service: Const[u32] = 0x0A0B0C0D
LOOPBACK = 0x7F000001

ports = Hash[u16, u16](max_entries=1024)


@cgroup_sock_addr("connect4")
def connect_redirect(ctx: SockAddrContext) -> Access:
    if ctx.user_ip4 != service:
        return Access.ALLOW
    port = ports.lookup(ctx.user_port)
    if port is None:
        return Access.DENY
    ctx.user_ip4 = LOOPBACK
    ctx.user_port = port[0]
    return Access.ALLOW
