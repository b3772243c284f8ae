"""TCP connections as they change their state: a record for each, with both ends.

$ ebee run examples/tcp_tracer.py
connecting over the loopback: SYN_SENT (2), then ESTABLISHED (1), of the same ports
"""

from ebee import AF_INET, RingBuf, be32, i32, struct, tp_btf, u16, u32, u64
from ebee.vmlinux import sock


@struct
class Change:
    socket: u64
    source: be32
    destination: be32
    source_port: u16
    destination_port: u16
    before: u32
    after: u32


changes = RingBuf[Change](size=1 << 18)


@tp_btf("inet_sock_set_state")
def tcp_tracer(sk: sock, before: i32, after: i32) -> None:
    ends = sk.__sk_common  # pyright: ignore[reportPrivateUsage]
    if ends.skc_family != AF_INET:
        return
    port = ends.skc_dport
    with changes.reserve() as change:
        if change is None:
            return
        change.socket = u64(sk)
        change.source = u32(ends.skc_rcv_saddr)
        change.destination = u32(ends.skc_daddr)
        change.source_port = ends.skc_num
        change.destination_port = port >> 8 | (port & 0xFF) << 8
        change.before = u32(before)
        change.after = u32(after)
