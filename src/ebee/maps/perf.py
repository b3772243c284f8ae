"""Perf event arrays (kernel/bpf/arraymap.c): a perf event for each CPU, to count or to write to."""

from ebee.maps import FD_ACCESS, MapType, flags

MAPS = (
    MapType(
        4, "perf_event_array", "4.3", "Perf events by index, for output to user space or counting.",
        key="u32", value="u32", flags=flags("numa_node", "preserve_elems", also=FD_ACCESS),
        handle="perf event", btf="forbidden",
        program="perf_event_output perf_event_read perf_event_read_value skb_output xdp_output",
        user="update delete next_key freeze",
        missing={"machine": "there are no perf events on the machine; ring buffers are there"},
    ),
)  # fmt: skip
