"""Arrays: `max_entries` values indexed by a u32, all there from the start."""

from ebee.maps import MapType

MAPS = (
    MapType(
        2, "array", "3.19", "Values indexed by a u32, zeroed at the start, never deleted.",
        key="u32", ops="ebee.maps.array_ops",
    ),
)  # fmt: skip
