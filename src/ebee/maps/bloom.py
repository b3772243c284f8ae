"""Bloom filters (kernel/bpf/bloom_filter.c): sets that may wrongly say yes."""

from ebee.maps import MapType, flags

MAPS = (
    MapType(
        30, "bloom_filter", "5.16", "A set that never forgets and may wrongly say yes.",
        key="none", flags=flags("numa_node", "zero_seed"),
        map_extra="number of hash functions, 0 to 15 (0: 5)",
        program="map_push_elem map_peek_elem", user="lookup update freeze", needs=("CAP_BPF",),
        ops="ebee.maps.bloom_ops",
    ),
)  # fmt: skip
