"""Arrays: `max_entries` values indexed by a u32, all there from the start
(kernel/bpf/arraymap.c)."""

from ebee.maps import MapType, flags

_PROGRAM = "map_lookup_elem map_update_elem map_delete_elem for_each_map_elem"
_USER = "lookup update delete next_key lookup_batch update_batch freeze"

MAPS = (
    MapType(
        2, "array", "3.19", "Values indexed by a u32, zeroed at the start, never deleted.",
        key="u32", flags=flags("numa_node", "mmapable", "inner_map"), direct=True,
        program=_PROGRAM, user=_USER + " mmap", ops="ebee.maps.array_ops",
    ),
    MapType(
        6, "percpu_array", "4.6", "An array with a value of its own for each CPU.",
        key="u32", flags=flags(), per_cpu=True, program=_PROGRAM + " map_lookup_percpu_elem",
        user=_USER, ops="ebee.maps.array_ops",
    ),
)  # fmt: skip
