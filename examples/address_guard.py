"""A control group's processes may bind their sockets only to the loopback: a security hook of the
control group looks at the address.

    $ ebee run examples/address_guard.py --cgroup /sys/fs/cgroup/my.slice
    bind 127.0.0.1: allowed; bind 0.0.0.0: PermissionError
"""

from ebee import AF_INET, Access, cast, i32, lsm_cgroup
from ebee.vmlinux import sockaddr, sockaddr_in, socket

NETWORK = 127  # first byte of the loopback's addresses


@lsm_cgroup("socket_bind")
def address_guard(sock: socket, address: sockaddr, size: i32) -> Access:
    if address.sa_family != AF_INET:
        return Access.ALLOW
    first = cast(sockaddr_in, address).sin_addr.s_addr & 0xFF
    return Access.ALLOW if first == NETWORK else Access.DENY
