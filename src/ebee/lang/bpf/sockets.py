"""Structs that programs see of sockets and flows: those of include/uapi/linux/bpf.h, by names of
their own where the kernel's say less; numbers in network order read as numbers."""

from __future__ import annotations

from typing import Any, Literal, Self

from ebee.types import array, be16, be32, i32, struct, u8, u16, u32, u64, union

AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10


@struct
class Sock:
    """A socket (struct bpf_sock): `ctx.sk`, what lookups give, `with servers.lookup(0) as sk:`.
    `src_*` is this side."""

    bound_dev_if: u32
    family: u32
    type: u32
    protocol: u32
    mark: u32
    priority: u32
    src_ip4: be32
    src_ip6: array[be32, Literal[4]]
    src_port: u32
    dst_port: be16
    padding: u16
    dst_ip4: be32
    dst_ip6: array[be32, Literal[4]]
    state: u32
    rx_queue_mapping: i32

    def __enter__(self) -> Self | None:
        raise TypeError("sockets are held by programs only")

    def __exit__(self, *_: Any) -> None: ...


@struct
class SockCommon:
    """What all sockets have, requests and those that wait to be forgotten, too (of struct
    bpf_sock): `ctx.sk` of packets. `bpf.sk_fullsock(sk)` gives the whole one where it is one."""

    bound_dev_if: u32
    family: u32
    reserved: array[u32, Literal[4]]
    src_ip4: be32
    src_ip6: array[be32, Literal[4]]
    src_port: u32
    dst_port: be16
    padding: u16
    dst_ip4: be32
    dst_ip6: array[be32, Literal[4]]
    state: u32
    rx_queue_mapping: i32

    def __enter__(self) -> Self | None:
        raise TypeError("sockets are held by programs only")

    def __exit__(self, *_: Any) -> None: ...


@struct
class TcpSock:
    """The TCP state of a socket (struct bpf_tcp_sock): `bpf.tcp_sock(sk)`."""

    snd_cwnd: u32
    srtt_us: u32
    rtt_min: u32
    snd_ssthresh: u32
    rcv_nxt: u32
    snd_nxt: u32
    snd_una: u32
    mss_cache: u32
    ecn_flags: u32
    rate_delivered: u32
    rate_interval_us: u32
    packets_out: u32
    retrans_out: u32
    total_retrans: u32
    segs_in: u32
    data_segs_in: u32
    segs_out: u32
    data_segs_out: u32
    lost_out: u32
    sacked_out: u32
    bytes_received: u64
    bytes_acked: u64
    dsack_dups: u32
    delivered: u32
    delivered_ce: u32
    icsk_retransmits: u32


@struct
class SockTuple4:
    """Addresses and ports of IPv4 (struct bpf_sock_tuple), for `bpf.sk_lookup_tcp` and its like."""

    source: be32
    destination: be32
    source_port: be16
    destination_port: be16


@struct
class SockTuple6:
    """Addresses and ports of IPv6."""

    source: array[u8, Literal[16]]
    destination: array[u8, Literal[16]]
    source_port: be16
    destination_port: be16


@struct
class FlowAddresses4:
    """Addresses of a flow of IPv4."""

    source: be32
    destination: be32


@struct
class FlowAddresses6:
    """Addresses of a flow of IPv6."""

    source: array[be32, Literal[4]]
    destination: array[be32, Literal[4]]


@union
class FlowAddresses:
    """Addresses of a flow, which of them are there says `addr_proto`."""

    ipv4: FlowAddresses4
    ipv6: FlowAddresses6


@struct
class FlowKeys:
    """What a flow dissector finds out (struct bpf_flow_keys): `ctx.flow_keys`.

    `nhoff`, `thoff`: where the network and transport headers are; `addr_proto`: ETH_IP or
    ETH_IPV6, which addresses there are (a plain number); `ip_proto`: the transport's.
    """

    nhoff: u16
    thoff: u16
    addr_proto: u16
    is_frag: u8
    is_first_frag: u8
    is_encap: u8
    ip_proto: u8
    n_proto: be16
    sport: be16
    dport: be16
    addresses: FlowAddresses
    flags: u32
    flow_label: be32


for _kind, _name in (
    (Sock, "bpf_sock"), (SockCommon, "bpf_sock"), (TcpSock, "bpf_tcp_sock"),
    (FlowKeys, "bpf_flow_keys"), (SockTuple4, "bpf_sock_tuple4"), (SockTuple6, "bpf_sock_tuple6"),
):  # fmt: skip
    setattr(_kind, "__cname__", _name)  # noqa: B010

POINTED: dict[str, type] = {
    "socket": Sock, "sock_common": SockCommon, "tcp_sock": TcpSock, "flow_keys": FlowKeys,
}  # fmt: skip
"""Kinds of pointers of the declarations (members of contexts, results of helpers) -> struct."""

__all__ = [
    "AF_INET", "AF_INET6", "AF_UNIX", "POINTED", "FlowKeys", "Sock", "SockCommon", "SockTuple4",
    "SockTuple6", "TcpSock",
]  # fmt: skip
