"""Helpers on socket maps and socket messages (net/core/sock_map.c, net/core/filter.c)."""

from ebee.helpers import Helper

_NO_SOCKMAP = {"machine": "needs live sockets and their messages: the machine has none"}

HELPERS = (
    Helper(
        53, "sock_map_update",
        "skops: ctx[bpf_sock_ops], map: map[sockmap], key: map_key, flags: u64 -> long", "4.14",
        "Put the socket of the current event into a sockmap.",
        takes_packet=True, missing=_NO_SOCKMAP,
    ),
    Helper(
        61, "msg_apply_bytes", "msg: ctx[sk_msg_md], bytes: u32 -> long", "4.17",
        "Let the verdict hold for the next bytes, without asking the program again.",
        missing=_NO_SOCKMAP,
    ),
    Helper(
        62, "msg_cork_bytes", "msg: ctx[sk_msg_md], bytes: u32 -> long", "4.17",
        "Wait until this many bytes are there before the program is asked.", missing=_NO_SOCKMAP,
    ),
    Helper(
        63, "msg_pull_data", "msg: ctx[sk_msg_md], start: u32, end: u32, flags: u64 -> long",
        "4.17", "Make a range of the message one piece of memory that can be reached directly.",
        moves_packet=True, missing=_NO_SOCKMAP,
    ),
    Helper(
        70, "sock_hash_update",
        "skops: ctx[bpf_sock_ops], map: map[sockhash], key: map_key, flags: u64 -> long", "4.18",
        "Put the socket of the current event into a sockhash.",
        takes_packet=True, missing=_NO_SOCKMAP,
    ),
    Helper(
        90, "msg_push_data", "msg: ctx[sk_msg_md], start: u32, len: u32, flags: u64 -> long",
        "4.20", "Insert bytes into the message at an offset.",
        moves_packet=True, missing=_NO_SOCKMAP,
    ),
    Helper(
        91, "msg_pop_data", "msg: ctx[sk_msg_md], start: u32, len: u32, flags: u64 -> long",
        "5.0", "Remove bytes of the message at an offset.", moves_packet=True, missing=_NO_SOCKMAP,
    ),
)  # fmt: skip
