"""Longest-prefix-match tries (kernel/bpf/lpm_trie.c)."""

from ebee.maps import FLAGS, MapType, flags

MAPS = (
    MapType(
        11, "lpm_trie", "4.11",
        "Values by prefix (a length in bits and up to 256 bytes); lookups find the longest one.",
        key="lpm", flags=flags("no_prealloc", "numa_node"), required=FLAGS["no_prealloc"],
        program="map_lookup_elem map_update_elem map_delete_elem",
        user="lookup update delete next_key lookup_batch update_batch delete_batch freeze",
        needs=("CAP_BPF",), ops="ebee.maps.lpm_ops",
    ),
)  # fmt: skip
