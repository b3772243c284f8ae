"""Helpers that read and change the packet of an XDP program (net/core/filter.c)."""

from ebee.helpers import BTF_HOOKS, Helper

_OPS = "ebee.helpers.packet_ops"

HELPERS = (
    Helper(
        44, "xdp_adjust_head", "xdp_md: ctx[xdp_md], delta: int -> long", "4.10",
        "Move the start of the packet: forward cuts bytes off, backward grows into the headroom "
        "behind struct xdp_frame. At least 14 bytes must remain, otherwise -EINVAL.",
        f"{_OPS}:xdp_adjust_head", moves_packet=True,
    ),
    Helper(
        54, "xdp_adjust_meta", "xdp_md: ctx[xdp_md], delta: int -> long", "4.15",
        "Move the start of the metadata before the packet; its length must be a multiple of 4 and "
        "at most 252 bytes, otherwise -EACCES.",
        f"{_OPS}:xdp_adjust_meta", moves_packet=True,
    ),
    Helper(
        65, "xdp_adjust_tail", "xdp_md: ctx[xdp_md], delta: int -> long", "4.18",
        "Move the end of the packet. Bytes that are gained (since 5.8) are zero and must fit the "
        "frame; at least 14 bytes must remain, otherwise -EINVAL.",
        f"{_OPS}:xdp_adjust_tail", moves_packet=True,
    ),
    Helper(
        188, "xdp_get_buff_len", "xdp_md: ctx[xdp_md] -> u64", "5.18",
        "Length of the packet in bytes, all its fragments together.",
        f"{_OPS}:xdp_get_buff_len",
        variants=dict.fromkeys((*BTF_HOOKS, "lsm", "lsm_cgroup"), "xdp_md: btf[xdp_buff] -> u64"),
    ),
    Helper(
        189, "xdp_load_bytes",
        "xdp_md: ctx[xdp_md], offset: u32, buf: mem_out[len], len: size -> long", "5.18",
        "Copy bytes of the packet, from any fragment; -EINVAL when they are not all there.",
        f"{_OPS}:xdp_load_bytes",
    ),
    Helper(
        190, "xdp_store_bytes",
        "xdp_md: ctx[xdp_md], offset: u32, buf: mem[len], len: size -> long", "5.18",
        "Copy bytes into the packet, into any fragment; -EINVAL when it is not that long.",
        f"{_OPS}:xdp_store_bytes",
    ),
)  # fmt: skip
