"""The header with which the state of every map begins.

The map's address, which a program holds as an opaque pointer, is the address of this header.
Members marked const never change after the map was made: compiled code folds them.
"""

from ebee.types import const, struct, u32, u64


@struct
class MapHeader:
    """What all map types have in common. `value_stride`: value_size rounded up to 8."""

    type: const[u32]
    id: const[u32]
    key_size: const[u32]
    value_size: const[u32]
    max_entries: const[u32]
    flags: const[u32]
    value_stride: const[u32]
    cpus: const[u32]
    map_extra: const[u64]
