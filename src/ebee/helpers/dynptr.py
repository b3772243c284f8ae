"""Helpers on dynptrs: memory whose length is known only at run time (kernel/bpf/helpers.c)."""

from ebee.helpers import Helper

_OPS = "ebee.helpers.dynptr_ops"

HELPERS = (
    Helper(
        197, "dynptr_from_mem",
        "data: mem_rw[size], size: size0, flags: u64, ptr: dynptr_out[local] -> long", "5.19",
        "A dynptr to a map value: -E2BIG past 16 MiB, -EINVAL on flags, and then it is null.",
        f"{_OPS}:dynptr_from_mem",
    ),
    Helper(
        198, "ringbuf_reserve_dynptr",
        "ringbuf: map[ringbuf], size: u32, flags: u64, ptr: own dynptr_out[ringbuf] -> long",
        "5.19", "Room for a record of any size in a ring buffer. Also after a failure the dynptr "
        "must be submitted or discarded.", f"{_OPS}:ringbuf_reserve_dynptr",
    ),
    Helper(
        199, "ringbuf_submit_dynptr", "ptr: own dynptr[ringbuf], flags: u64 -> void", "5.19",
        "Give a filled record to the reader.", f"{_OPS}:ringbuf_submit_dynptr",
    ),
    Helper(
        200, "ringbuf_discard_dynptr", "ptr: own dynptr[ringbuf], flags: u64 -> void", "5.19",
        "Drop a reserved record: the reader skips it.", f"{_OPS}:ringbuf_discard_dynptr",
    ),
    Helper(
        201, "dynptr_read",
        "dst: mem_out[len], len: size0, src: dynptr, offset: u32, flags: u64 -> long", "5.19",
        "Copy bytes from a dynptr; -E2BIG when they reach past its end, -EINVAL when it is null.",
        f"{_OPS}:dynptr_read",
    ),
    Helper(
        202, "dynptr_write",
        "dst: dynptr, offset: u32, src: mem[len], len: size0, flags: u64 -> long", "5.19",
        "Copy bytes into a dynptr; -E2BIG when they reach past its end, -EINVAL when it is null or "
        "read-only. It makes slices of packet dynptrs invalid.", f"{_OPS}:dynptr_write",
    ),
    Helper(
        203, "dynptr_data", "ptr: dynptr, offset: u32, len: alloc_size[u32] -> dynptr_mem[len]?",
        "5.19", "The address of a constant number of bytes inside a dynptr; null when it is "
        "read-only or shorter, or made of a packet.", f"{_OPS}:dynptr_data",
    ),
)  # fmt: skip
