"""The public names of ebee: what programs are written with, and what compiles and loads them.

`ebee/__init__.py` imports each on first use; the list here is the whole of it.
"""

from ebee import bpf
from ebee.errors import EbeeError
from ebee.lang.bpf.build import compile
from ebee.lang.bpf.intrinsics import atomic_add
from ebee.lang.bpf.maps import (
    EXIST,
    NOEXIST,
    Array,
    Hash,
    LpmTrie,
    LruHash,
    LruPerCpuHash,
    PerCpuArray,
    PerCpuHash,
    ProgArray,
    RingBuf,
)
from ebee.lang.bpf.packets import (
    AUTHENTICATION,
    DESTINATION,
    ETH_ARP,
    ETH_IP,
    ETH_IPV6,
    ETH_QINQ,
    ETH_VLAN,
    FRAGMENT_HEADER,
    HOP_BY_HOP,
    ICMP,
    ICMP_PROTOCOL,
    ICMPV6_PROTOCOL,
    ROUTING,
    TCP,
    TCP_PROTOCOL,
    UDP,
    UDP_PROTOCOL,
    Ethernet,
    ICMPv6,
    IPv4,
    IPv6,
    IPv6Extension,
    Packet,
    Vlan,
    parser,
)
from ebee.lang.bpf.programs import (
    TC,
    TCX,
    XDP,
    Cgroup,
    RawContext,
    SkbContext,
    XdpContext,
    cgroup_skb,
    func,
    raw_tracepoint,
    section,
    socket_filter,
    tc,
    tcx,
    tracepoint,
    xdp,
)
from ebee.lang.bpf.variables import Const, Global
from ebee.types import (
    array,
    be16,
    be32,
    be64,
    char,
    i8,
    i16,
    i32,
    i64,
    ptr,
    sizeof,
    struct,
    u8,
    u16,
    u32,
    u64,
    union,
)

__all__ = [
    "AUTHENTICATION", "DESTINATION", "ETH_ARP", "ETH_IP", "ETH_IPV6", "ETH_QINQ", "ETH_VLAN",
    "EXIST", "FRAGMENT_HEADER", "HOP_BY_HOP", "ICMP", "ICMPV6_PROTOCOL", "ICMP_PROTOCOL", "NOEXIST",
    "ROUTING", "TC", "TCP", "TCP_PROTOCOL", "TCX", "UDP", "UDP_PROTOCOL", "XDP", "Array", "Cgroup",
    "Const", "EbeeError", "Ethernet", "Global", "Hash", "ICMPv6", "IPv4", "IPv6", "IPv6Extension",
    "LpmTrie", "LruHash", "LruPerCpuHash", "Packet", "PerCpuArray", "PerCpuHash", "ProgArray",
    "RawContext", "RingBuf", "SkbContext", "Vlan", "XdpContext", "array", "atomic_add", "be16",
    "be32", "be64", "bpf", "cgroup_skb", "char", "compile", "func", "i16", "i32", "i64", "i8",
    "parser", "ptr", "raw_tracepoint", "section", "sizeof", "socket_filter", "struct", "tc", "tcx",
    "tracepoint", "u16", "u32", "u64", "u8", "union", "xdp",
]  # fmt: skip
