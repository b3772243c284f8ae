"""Hash maps: values by any key of fixed size (kernel/bpf/hashtab.c)."""

from ebee.maps import MapType, flags

PROGRAM = "map_lookup_elem map_update_elem map_delete_elem for_each_map_elem"
PER_CPU = PROGRAM + " map_lookup_percpu_elem"
USER = "lookup update delete next_key take lookup_batch take_batch update_batch delete_batch freeze"

MAPS = (
    MapType(
        1, "hash", "3.19", "Values by key; inserting into a full map fails.",
        flags=flags("no_prealloc", "numa_node", "zero_seed"), program=PROGRAM, user=USER,
        ops="ebee.maps.hash_ops",
    ),
    MapType(
        5, "percpu_hash", "4.6", "A hash map with a value of its own for each CPU.",
        flags=flags("no_prealloc", "zero_seed"), per_cpu=True, program=PER_CPU, user=USER,
        ops="ebee.maps.hash_ops",
    ),
)  # fmt: skip
