"""Maps of CPUs, targets of XDP redirection (kernel/bpf/cpumap.c)."""

from ebee.maps import MapType, flags

MAPS = (
    MapType(
        16, "cpumap", "4.15", "CPUs by index, for bpf_redirect_map: another CPU goes on.",
        key="u32", value="u32|u64", flags=flags("numa_node", also=0), program="redirect_map",
        user="lookup update delete next_key lookup_batch update_batch freeze", btf="forbidden",
        needs=("CAP_BPF",), ops="ebee.maps.cpumap_ops",
    ),
)  # fmt: skip
