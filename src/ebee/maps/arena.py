"""Arenas (kernel/bpf/arena.c): memory that programs and user space share, pointers and all."""

from ebee.maps import FLAGS, MapType, flags

MAPS = (
    MapType(
        33, "arena", "6.9", "Up to 4 GiB of memory shared with user space, pages by need.",
        key="none", value="none", flags=flags("mmapable", "segv_on_fault", "no_user_conv", also=0),
        required=FLAGS["mmapable"], map_extra="user space's address of the arena, 0: any",
        user="mmap freeze", btf="forbidden", needs=("CAP_BPF",),
        missing={"machine": "pointers into an arena do not run there yet"},
    ),
)  # fmt: skip
