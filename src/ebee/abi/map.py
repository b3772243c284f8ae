"""The header with which the state of every map begins, and the flags of maps.

The map's address, which a program holds as an opaque pointer, is the address of this header.
Members marked const never change after the map was made: compiled code folds them.
"""

from ebee.types import const, struct, u32, u64

# Flags of an update (include/uapi/linux/bpf.h).
BPF_ANY = 0
BPF_NOEXIST = 1
BPF_EXIST = 2
BPF_F_LOCK = 4

# Flags of creation.
BPF_F_NO_PREALLOC = 1 << 0
BPF_F_NO_COMMON_LRU = 1 << 1
BPF_F_NUMA_NODE = 1 << 2
BPF_F_RDONLY = 1 << 3
BPF_F_WRONLY = 1 << 4
BPF_F_STACK_BUILD_ID = 1 << 5
BPF_F_ZERO_SEED = 1 << 6
BPF_F_RDONLY_PROG = 1 << 7
BPF_F_WRONLY_PROG = 1 << 8
BPF_F_CLONE = 1 << 9
BPF_F_MMAPABLE = 1 << 10
BPF_F_PRESERVE_ELEMS = 1 << 11
BPF_F_INNER_MAP = 1 << 12
BPF_F_LINK = 1 << 13
BPF_F_VTYPE_BTF_OBJ_FD = 1 << 15
BPF_F_TOKEN_FD = 1 << 16
BPF_F_SEGV_ON_FAULT = 1 << 17
BPF_F_NO_USER_CONV = 1 << 18

ACCESS_FLAGS = BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG
"""BPF_F_ACCESS_MASK of include/linux/bpf.h: who may read and write."""

NO_LOCK = 0xFFFF_FFFF
"""`lock_at` of a map whose values hold no spin lock."""


@struct
class MapHeader:
    """What all map types have in common. `value_stride`: value_size rounded up to 8; `lock_at`:
    offset of the struct bpf_spin_lock in a value; `cpus`: number of virtual CPUs."""

    type: const[u32]
    id: const[u32]
    key_size: const[u32]
    value_size: const[u32]
    max_entries: const[u32]
    flags: const[u32]
    value_stride: const[u32]
    cpus: const[u32]
    map_extra: const[u64]
    lock_at: const[u32]
    reserved: u32
