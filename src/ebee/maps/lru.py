"""Hash maps that evict what was not used lately (kernel/bpf/hashtab.c, bpf_lru_list.c)."""

from ebee.maps import MapType, flags
from ebee.maps.hash import PER_CPU, PROGRAM, USER

MAPS = (
    MapType(
        9, "lru_hash", "4.10", "A hash map that makes room by evicting an element not used lately.",
        flags=flags("no_common_lru", "numa_node", "zero_seed"), program=PROGRAM, user=USER,
        needs=("CAP_BPF",), ops="ebee.maps.lru_ops",
    ),
    MapType(
        10, "lru_percpu_hash", "4.10", "An LRU hash map with a value of its own for each CPU.",
        flags=flags("no_common_lru", "zero_seed"), per_cpu=True, program=PER_CPU, user=USER,
        needs=("CAP_BPF",), ops="ebee.maps.lru_ops",
    ),
)  # fmt: skip
