"""Maps of maps (kernel/bpf/arraymap.c, hashtab.c, map_in_map.c): inner maps all of one shape."""

from ebee.maps import FD_ACCESS, MapType, flags

MAPS = (
    MapType(
        12, "array_of_maps", "4.12", "Maps by index.",
        key="u32", value="u32", flags=flags("numa_node", also=FD_ACCESS), handle="map",
        program="map_lookup_elem", btf="forbidden",
        user="lookup update delete next_key lookup_batch update_batch freeze",
        ops="ebee.maps.array_of_maps_ops",
    ),
    MapType(
        13, "hash_of_maps", "4.12", "Maps by key.",
        value="u32", flags=flags("no_prealloc", "numa_node", "zero_seed"),
        handle="map", program="map_lookup_elem", btf="forbidden",
        user="lookup update delete next_key lookup_batch take_batch update_batch delete_batch"
        " freeze",
        ops="ebee.maps.hash_of_maps_ops",
    ),
)  # fmt: skip
