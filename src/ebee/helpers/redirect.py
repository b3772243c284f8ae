"""Helpers that send packets elsewhere (net/core/filter.c, net/core/sock_map.c)."""

from ebee.helpers import Helper

_OPS = "ebee.helpers.redirect_ops"
_NO_SKB = {"machine": "works on a socket buffer, which the machine does not have yet"}
_NO_ROUTES = {"machine": "needs a routing table: the machine has none"}
_NO_SOCKMAP = {"machine": "needs a map of live sockets: the machine has no sockets"}

HELPERS = (
    Helper(
        13, "clone_redirect", "skb: ctx[__sk_buff], ifindex: u32, flags: u64 -> long", "4.2",
        "Send a copy of the packet out of a device (or, with BPF_F_INGRESS, into it).",
        moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        23, "redirect", "ifindex: u32, flags: u64 -> long", "4.4",
        "Send the packet to a device. The result is the verdict to return: XDP_REDIRECT in XDP "
        "(which knows no flags: XDP_ABORTED), TC_ACT_REDIRECT in tc.",
        f"{_OPS}:redirect",
    ),
    Helper(
        51, "redirect_map",
        "map: map[devmap|devmap_hash|cpumap|xskmap], key: u64, flags: u64 -> long", "4.14",
        "Send the packet to the device, CPU or socket under a key. XDP_REDIRECT, or when the key "
        "is empty the two low bits of the flags; XDP_ABORTED on unknown flags.",
        "map:redirect",
    ),
    Helper(
        52, "sk_redirect_map",
        "skb: ctx[__sk_buff], map: map[sockmap], key: u32, flags: u64 -> long", "4.14",
        "Send the data to a socket of a sockmap: SK_PASS, or SK_DROP.", missing=_NO_SOCKMAP,
    ),
    Helper(
        60, "msg_redirect_map",
        "msg: ctx[sk_msg_md], map: map[sockmap], key: u32, flags: u64 -> long", "4.17",
        "Send a message to a socket of a sockmap: SK_PASS, or SK_DROP.", missing=_NO_SOCKMAP,
    ),
    Helper(
        69, "fib_lookup",
        "ctx: ctx, params: mem_rw[plen] as bpf_fib_lookup, plen: size[int], flags: u32 -> long",
        "4.18",
        "Ask the routing table for the way of an address: device, next hop's addresses, MTU. 0, a "
        "positive BPF_FIB_LKUP_RET_* reason, or a negative error.",
        gpl=True, missing=_NO_ROUTES,
    ),
    Helper(
        71, "msg_redirect_hash",
        "msg: ctx[sk_msg_md], map: map[sockhash], key: map_key, flags: u64 -> long", "4.18",
        "Send a message to a socket of a sockhash: SK_PASS, or SK_DROP.", missing=_NO_SOCKMAP,
    ),
    Helper(
        72, "sk_redirect_hash",
        "skb: ctx[__sk_buff], map: map[sockhash], key: map_key, flags: u64 -> long", "4.18",
        "Send the data to a socket of a sockhash: SK_PASS, or SK_DROP.", missing=_NO_SOCKMAP,
    ),
    Helper(
        152, "redirect_neigh",
        "ifindex: u32, params: mem[plen]? as bpf_redir_neigh, plen: size0[int], flags: u64 -> long",
        "5.10", "Send the packet to a device, its link addresses filled in from the neighbour "
        "table.", missing=_NO_SKB,
    ),
    Helper(
        155, "redirect_peer", "ifindex: u32, flags: u64 -> long", "5.10",
        "Send the packet to the other end of a device pair, in its namespace, without a queue.",
        missing=_NO_SKB,
    ),
    Helper(
        163, "check_mtu",
        "ctx: ctx, ifindex: u32, mtu_len: inout as u32, len_diff: i32, flags: u64 -> long", "5.12",
        "Whether the packet, changed by a number of bytes, fits a device's MTU (stored in "
        "mtu_len): 0, BPF_MTU_CHK_RET_FRAG_NEEDED, or a negative error.",
        gpl=True, missing={"machine": "needs devices with an MTU: the machine's have none yet"},
    ),
)  # fmt: skip
