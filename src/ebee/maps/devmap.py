"""Maps of network devices, targets of XDP redirection (kernel/bpf/devmap.c)."""

from ebee.maps import FD_ACCESS, MapType, flags

_PROGRAM = "redirect_map map_lookup_elem"
_USER = "lookup update delete next_key freeze"

MAPS = (
    MapType(
        14, "devmap", "4.14", "Network devices by index, for bpf_redirect_map.",
        key="u32", value="u32|u64", flags=flags("numa_node", also=FD_ACCESS), program=_PROGRAM,
        user=_USER + " lookup_batch update_batch", btf="forbidden", needs=("CAP_NET_ADMIN",),
        ops="ebee.maps.devmap_ops",
    ),
    MapType(
        25, "devmap_hash", "5.4", "Network devices by any number, for bpf_redirect_map.",
        key="u32", value="u32|u64", flags=flags("numa_node", also=FD_ACCESS), program=_PROGRAM,
        user=_USER + " lookup_batch update_batch delete_batch", btf="forbidden",
        needs=("CAP_NET_ADMIN",), ops="ebee.maps.devmap_hash_ops",
    ),
)  # fmt: skip
