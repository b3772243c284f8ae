"""Helpers for Internet checksums and SYN cookies (net/core/filter.c)."""

from ebee.helpers import Helper

_NO_SKB = {"machine": "works on a socket buffer, which the machine does not have yet"}
_NO_TCP = {"machine": "needs a TCP stack and its secret: the machine has none"}

HELPERS = (
    Helper(
        10, "l3_csum_replace",
        "skb: ctx[__sk_buff], offset: u32, from: u64, to: u64, size: u64 -> long", "4.1",
        "Update the checksum of an IP header at an offset after 2 or 4 of its bytes changed.",
        moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        11, "l4_csum_replace",
        "skb: ctx[__sk_buff], offset: u32, from: u64, to: u64, flags: u64 -> long", "4.1",
        "Update the checksum of a TCP or UDP header after bytes of it, or of the pseudo header, "
        "changed.",
        moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        28, "csum_diff",
        "from: mem[from_size]? as be32, from_size: size0, to: mem[to_size]? as be32, "
        "to_size: size0, seed: wsum -> i64", "4.6",
        "The checksum of `to` minus that of `from`, added to a seed, as 32 bits that are not yet "
        "folded; sizes are multiples of 4, otherwise -EINVAL.",
        "ebee.helpers.checksum_ops:csum_diff", takes_packet=True,
    ),
    Helper(
        40, "csum_update", "skb: ctx[__sk_buff], csum: wsum -> i64", "4.9",
        "Add to the checksum that the device computed over the packet.", missing=_NO_SKB,
    ),
    Helper(
        100, "tcp_check_syncookie",
        "sk: btf_sock, iph: mem[iph_len], iph_len: size, th: mem[th_len] as tcphdr, th_len: size "
        "-> long", "5.2",
        "Whether the acknowledgement of a TCP header answers a SYN cookie of a listening socket.",
        gpl=True, takes_packet=True, missing=_NO_TCP,
    ),
    Helper(
        110, "tcp_gen_syncookie",
        "sk: btf_sock, iph: mem[iph_len], iph_len: size, th: mem[th_len] as tcphdr, th_len: size "
        "-> i64", "5.3",
        "A SYN cookie (low 32 bits) and the MSS it encodes for a SYN to a listening socket.",
        gpl=True, takes_packet=True, missing=_NO_TCP,
    ),
    Helper(
        135, "csum_level", "skb: ctx[__sk_buff], level: u64 -> long", "5.8",
        "Change or ask how many encapsulated checksums the device has verified.", missing=_NO_SKB,
    ),
    Helper(
        204, "tcp_raw_gen_syncookie_ipv4",
        "iph: mem[20] as iphdr, th: mem[th_len] as tcphdr, th_len: size0 -> i64", "6.0",
        "A SYN cookie and its MSS for an IPv4 SYN, without a socket.",
        gpl=True, takes_packet=True, missing=_NO_TCP,
    ),
    Helper(
        205, "tcp_raw_gen_syncookie_ipv6",
        "iph: mem[40] as ipv6hdr, th: mem[th_len] as tcphdr, th_len: size0 -> i64", "6.0",
        "A SYN cookie and its MSS for an IPv6 SYN, without a socket.",
        gpl=True, takes_packet=True, missing=_NO_TCP,
    ),
    Helper(
        206, "tcp_raw_check_syncookie_ipv4",
        "iph: mem[20] as iphdr, th: mem[20] as tcphdr -> long", "6.0",
        "Whether an IPv4 ACK carries a SYN cookie of this machine: 0, or -EACCES.",
        gpl=True, takes_packet=True, missing=_NO_TCP,
    ),
    Helper(
        207, "tcp_raw_check_syncookie_ipv6",
        "iph: mem[40] as ipv6hdr, th: mem[20] as tcphdr -> long", "6.0",
        "Whether an IPv6 ACK carries a SYN cookie of this machine: 0, or -EACCES.",
        gpl=True, takes_packet=True, missing=_NO_TCP,
    ),
)  # fmt: skip
