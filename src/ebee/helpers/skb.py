"""Helpers on socket buffers: tc, socket filters, cgroup packets (net/core/filter.c)."""

from ebee.helpers import Helper

_NO_SKB = {"machine": "works on a socket buffer, which the machine does not have yet"}
_SKB = "skb: ctx[__sk_buff]"
_PACKET_HOOKS = (
    "tc", "tcx", "netkit", "tc_action", "lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local"
)  # fmt: skip

HELPERS = (
    Helper(
        9, "skb_store_bytes",
        f"{_SKB}, offset: u32, from: mem[len], len: size, flags: u64 -> long", "4.1",
        "Copy bytes into the packet; flags: BPF_F_RECOMPUTE_CSUM, BPF_F_INVALIDATE_HASH.",
        moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        17, "get_cgroup_classid", f"{_SKB} -> u32", "4.3",
        "The net_cls class (cgroup v1) of the task that sends the packet; elsewhere of the current "
        "task.",
        variants={"*": "-> u32"} | dict.fromkeys(_PACKET_HOOKS, f"{_SKB} -> u32"),
        missing=_NO_SKB,
    ),
    Helper(
        18, "skb_vlan_push", f"{_SKB}, vlan_proto: be16, vlan_tci: u16 -> long", "4.3",
        "Put a VLAN tag in front, 802.1Q or 802.1ad.", moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        19, "skb_vlan_pop", f"{_SKB} -> long", "4.3", "Take the outermost VLAN tag off.",
        moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        20, "skb_get_tunnel_key",
        f"{_SKB}, key: mem_out[size] as bpf_tunnel_key, size: size, flags: u64 -> long", "4.3",
        "How the packet was encapsulated: tunnel id, addresses, TOS, TTL, flow label.",
        missing=_NO_SKB,
    ),
    Helper(
        21, "skb_set_tunnel_key",
        f"{_SKB}, key: mem[size] as bpf_tunnel_key, size: size, flags: u64 -> long", "4.3",
        "How a tunnel device in metadata mode shall encapsulate the packet.", missing=_NO_SKB,
    ),
    Helper(
        24, "get_route_realm", f"{_SKB} -> u32", "4.4",
        "The routing realm of the packet's destination, 0 if it has none.", missing=_NO_SKB,
    ),
    Helper(
        26, "skb_load_bytes", "skb: ctx, offset: u32, to: mem_out[len], len: size -> long", "4.5",
        "Copy bytes of the packet, wherever they lie; -EFAULT and zeroes past its end.",
        missing=_NO_SKB,
    ),
    Helper(
        29, "skb_get_tunnel_opt", f"{_SKB}, opt: mem_out[size], size: size -> long", "4.6",
        "The options of the tunnel header that the packet came with; the result is their length.",
        missing=_NO_SKB,
    ),
    Helper(
        30, "skb_set_tunnel_opt", f"{_SKB}, opt: mem[size], size: size -> long", "4.6",
        "The options of the tunnel header that the packet shall get.", missing=_NO_SKB,
    ),
    Helper(
        31, "skb_change_proto", f"{_SKB}, proto: be16, flags: u64 -> long", "4.8",
        "Make room for an IPv6 header in place of IPv4, or the reverse; the program fills it in.",
        moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        32, "skb_change_type", f"{_SKB}, type: u32 -> long", "4.8",
        "Change the packet type (PACKET_HOST, ...), so that the stack takes or drops it.",
        missing=_NO_SKB,
    ),
    Helper(
        34, "get_hash_recalc", f"{_SKB} -> u32", "4.8",
        "The flow hash of the packet, computed when it is not known.", missing=_NO_SKB,
    ),
    Helper(
        38, "skb_change_tail", f"{_SKB}, len: u32, flags: u64 -> long", "4.9",
        "Cut or grow the packet to a length; gained bytes are zero.",
        moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        39, "skb_pull_data", f"{_SKB}, len: u32 -> long", "4.9",
        "Make the first bytes (0: all that are linear) reachable and writable directly.",
        moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        41, "set_hash_invalid", f"{_SKB} -> void", "4.9",
        "Forget the flow hash, so that it is computed anew.", missing=_NO_SKB,
    ),
    Helper(
        43, "skb_change_head", f"{_SKB}, len: u32, flags: u64 -> long", "4.10",
        "Grow the packet in front by some bytes, for a link header.",
        moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        48, "set_hash", f"{_SKB}, hash: u32 -> long", "4.13", "Set the flow hash of the packet.",
        missing=_NO_SKB,
    ),
    Helper(
        50, "skb_adjust_room", f"{_SKB}, len_diff: i32, mode: u32, flags: u64 -> long", "4.13",
        "Insert or remove bytes behind the link header (BPF_ADJ_ROOM_MAC) or the IP header "
        "(BPF_ADJ_ROOM_NET), for encapsulation.", moves_packet=True, missing=_NO_SKB,
    ),
    Helper(
        66, "skb_get_xfrm_state",
        f"{_SKB}, index: u32, xfrm_state: mem_out[size] as bpf_xfrm_state, size: size, flags: u64 "
        "-> long", "4.18",
        "One entry of the IPsec path that the packet took.", missing=_NO_SKB,
    ),
    Helper(
        68, "skb_load_bytes_relative",
        "skb: ctx, offset: u32, to: mem_out[len], len: size, start_header: u32 -> long", "4.18",
        "Copy bytes of the packet from its link header (BPF_HDR_START_MAC) or network header "
        "(BPF_HDR_START_NET) on.", missing=_NO_SKB,
    ),
    Helper(
        97, "skb_ecn_set_ce", f"{_SKB} -> long", "5.1",
        "Mark congestion in the IP header if the flow supports it: 1 if it is marked, else 0.",
        missing=_NO_SKB,
    ),
    Helper(
        192, "skb_set_tstamp", f"{_SKB}, tstamp: u64, tstamp_type: u32 -> long", "5.18",
        "Set the delivery time of the packet, or with type 0 clear it.", missing=_NO_SKB,
    ),
)  # fmt: skip
