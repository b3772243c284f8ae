"""Kernel interfaces filled with programs (kernel/bpf/bpf_struct_ops.c)."""

from ebee.maps import MapType, flags

MAPS = (
    MapType(
        26, "struct_ops", "5.6", "An operations structure of the kernel, filled with programs.",
        key="u32", entries="one", flags=flags("link", "vtype_btf_obj_fd", also=0),
        user="lookup update delete next_key", btf="required", needs=("CAP_BPF",),
        missing={
            "machine": "there is no kernel whose operations programs could be",
            "verifies": "no program can use one",
        },
    ),
)  # fmt: skip
