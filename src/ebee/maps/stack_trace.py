"""Stack traces (kernel/bpf/stackmap.c)."""

from ebee.maps import FD_ACCESS, MapType, flags

MAPS = (
    MapType(
        7, "stack_trace", "4.6", "Call stacks by the number that bpf_get_stackid gave.",
        key="u32", value="trace", flags=flags("numa_node", "stack_build_id", also=FD_ACCESS),
        program="get_stackid", user="lookup delete next_key freeze", btf="forbidden",
        needs=("CAP_BPF",),
        missing={"machine": "programs on the machine have no call stack of a kernel or process"},
    ),
)  # fmt: skip
