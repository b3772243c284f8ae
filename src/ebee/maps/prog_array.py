"""Arrays of programs: the targets of tail calls (kernel/bpf/arraymap.c)."""

from ebee.maps import FD_ACCESS, MapType, flags

MAPS = (
    MapType(
        3, "prog_array", "4.2", "Programs by index, for bpf_tail_call.",
        key="u32", value="u32", flags=flags("numa_node", also=FD_ACCESS), handle="program",
        program="tail_call", user="lookup update delete next_key freeze", btf="forbidden",
        ops="ebee.maps.slot_ops",
    ),
)  # fmt: skip
