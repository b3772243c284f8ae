"""Helpers that send records to user space (kernel/bpf/ringbuf.c, kernel/trace/bpf_trace.c)."""

from ebee.helpers import Helper

_NO_PERF = {"machine": "needs perf events: the machine has none yet"}
_NO_TRACED = {"machine": "for tracing programs, which the machine does not run"}

HELPERS = (
    Helper(
        22, "perf_event_read", "map: map[perf_event_array], flags: u64 -> u64", "4.3",
        "The count of a perf event of an array, by CPU; errors cannot be told from counts: prefer "
        "perf_event_read_value.", gpl=True, missing=_NO_PERF,
    ),
    Helper(
        25, "perf_event_output",
        "ctx: ctx, map: map[perf_event_array], flags: u64, data: mem[size], size: size0[u64] "
        "-> long", "4.4",
        "Send a record to the perf buffer of a CPU (BPF_F_CURRENT_CPU: this one); the high half of "
        "the flags appends that many bytes of the packet.", gpl=True, missing=_NO_PERF,
    ),
    Helper(
        55, "perf_event_read_value",
        "map: map[perf_event_array], flags: u64, buf: mem_out[buf_size] as bpf_perf_event_value, "
        "buf_size: size -> long", "4.15",
        "Count, enabled time and running time of a perf event of an array.",
        gpl=True, missing=_NO_PERF,
    ),
    Helper(
        56, "perf_prog_read_value",
        "ctx: ctx[bpf_perf_event_data], buf: mem_out[buf_size] as bpf_perf_event_value, "
        "buf_size: size -> long", "4.15",
        "Count, enabled time and running time of the event that runs this program.",
        gpl=True, missing=_NO_PERF,
    ),
    Helper(
        111, "skb_output",
        "ctx: btf[sk_buff] as void, map: map[perf_event_array], flags: u64, data: mem[size], "
        "size: size0[u64] -> long", "5.5",
        "As perf_event_output, from a traced function that has a socket buffer.",
        gpl=True, missing=_NO_TRACED,
    ),
    Helper(
        121, "xdp_output",
        "ctx: btf[xdp_buff] as void, map: map[perf_event_array], flags: u64, data: mem[size], "
        "size: size0[u64] -> long", "5.7",
        "As perf_event_output, from a traced function that has an XDP buffer.",
        gpl=True, missing=_NO_TRACED,
    ),
    Helper(
        130, "ringbuf_output",
        "ringbuf: map[ringbuf], data: mem[size], size: size0[u64], flags: u64 -> long", "5.8",
        "Copy a record into a ring buffer; -EAGAIN when it is full.", "map:output",
    ),
    Helper(
        131, "ringbuf_reserve",
        "ringbuf: map[ringbuf], size: alloc_size, flags: u64 -> own alloc_mem[size]?", "5.8",
        "Room for a record of constant size in a ring buffer, to be filled and then submitted or "
        "discarded; null when it is full.", "map:reserve",
    ),
    Helper(
        132, "ringbuf_submit", "data: own alloc_mem, flags: u64 -> void", "5.8",
        "Give a filled record to the reader. BPF_RB_NO_WAKEUP and BPF_RB_FORCE_WAKEUP say whether "
        "to wake it, otherwise it is woken when it waits for this record.",
        "ebee.maps.ringbuf_ops:submit",
    ),
    Helper(
        133, "ringbuf_discard", "data: own alloc_mem, flags: u64 -> void", "5.8",
        "Drop a reserved record: the reader skips it.", "ebee.maps.ringbuf_ops:discard",
    ),
    Helper(
        134, "ringbuf_query", "ringbuf: map[ringbuf], flags: u64 -> u64", "5.8",
        "One number about a ring buffer: unread bytes, size, consumer or producer position.",
        "map:query",
    ),
    Helper(
        209, "user_ringbuf_drain",
        "map: map[user_ringbuf], callback_fn: func, ctx: stack?, flags: u64 -> long", "6.1",
        "Call back for each record that user space has put into a user ring buffer; the result is "
        "the number of records.",
        missing={"machine": "needs the user_ringbuf map, which the machine does not have yet"},
    ),
)  # fmt: skip
