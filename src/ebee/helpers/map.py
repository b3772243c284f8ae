"""Helpers on maps, whatever the map's type (kernel/bpf/helpers.c)."""

from ebee.helpers import Helper

_QUEUES = "queue|stack|bloom_filter"
_PERCPU = "percpu_array|percpu_hash|lru_percpu_hash"
_WALKED = "array|percpu_array|hash|percpu_hash|lru_hash|lru_percpu_hash"

HELPERS = (
    Helper(
        1, "map_lookup_elem", "map: map, key: map_key -> map_value?", "3.19",
        "The address of the value of a key, or null. Writing through it changes the map.",
        "map:lookup", takes_packet=True,
    ),
    Helper(
        2, "map_update_elem", "map: map, key: map_key, value: map_value, flags: u64 -> long",
        "3.19", "Store a value: BPF_ANY always, BPF_NOEXIST only a new key, BPF_EXIST only an old "
        "one; BPF_F_LOCK under the lock inside the value.",
        "map:update", takes_packet=True,
    ),
    Helper(
        3, "map_delete_elem", "map: map, key: map_key -> long", "3.19",
        "Take a key and its value out; -ENOENT when it is not there.",
        "map:delete", takes_packet=True,
    ),
    Helper(
        87, "map_push_elem", f"map: map[{_QUEUES}], value: map_value, flags: u64 -> long", "4.20",
        "Put a value into a queue, stack or bloom filter; BPF_EXIST drops the oldest when full, "
        "otherwise -E2BIG.",
        "map:push", takes_packet=True,
    ),
    Helper(
        88, "map_pop_elem", "map: map[queue|stack], value: map_value_out -> long", "4.20",
        "Take the next value out of a queue or stack; -ENOENT when it is empty.", "map:pop",
    ),
    Helper(
        89, "map_peek_elem", f"map: map[{_QUEUES}], value: map_value_out -> long", "4.20",
        "Copy the next value of a queue or stack and leave it there; in a bloom filter, ask "
        "whether the value may be a member (0) or is not (-ENOENT).", "map:peek",
    ),
    Helper(
        164, "for_each_map_elem",
        f"map: map[{_WALKED}], callback_fn: func, callback_ctx: stack?, flags: u64 -> long",
        "5.13", "Call back for each element until the callback returns 1; the result counts the "
        "calls. No flags are known: -EINVAL.",
        "engine:for_each_map_elem",
    ),
    Helper(
        195, "map_lookup_percpu_elem", f"map: map[{_PERCPU}], key: map_key, cpu: u32 -> map_value?",
        "5.19", "The address of the value that one CPU has under a key; null for an unknown CPU.",
        "map:lookup_percpu", takes_packet=True,
    ),
)  # fmt: skip
