"""Helpers for lightweight tunnels (net/core/filter.c)."""

from ebee.helpers import Helper

_NO_LWT = {"machine": "for lightweight tunnels of a routing table: the machine has none"}
_SKB = "skb: ctx[__sk_buff]"

HELPERS = (
    Helper(
        73, "lwt_push_encap", f"{_SKB}, type: u32, hdr: mem[len], len: size -> long", "4.18",
        "Put an outer header in front: segment routing, or IP (GRE, GUE, IPIP).",
        moves_packet=True, missing=_NO_LWT,
    ),
    Helper(
        74, "lwt_seg6_store_bytes", f"{_SKB}, offset: u32, from: mem[len], len: size -> long",
        "4.18", "Write into the segment routing header: flags, tag and TLVs only.",
        moves_packet=True, missing=_NO_LWT,
    ),
    Helper(
        75, "lwt_seg6_adjust_srh", f"{_SKB}, offset: u32, delta: i32 -> long", "4.18",
        "Grow or shrink the TLV space of the segment routing header.",
        moves_packet=True, missing=_NO_LWT,
    ),
    Helper(
        76, "lwt_seg6_action",
        f"{_SKB}, action: u32, param: mem[param_len], param_len: size -> long", "4.18",
        "Do a segment routing action: End.X, End.T, End.B6, End.B6.Encap.",
        moves_packet=True, missing=_NO_LWT,
    ),
)  # fmt: skip
