"""Maps of sockets (net/core/sock_map.c, kernel/bpf/reuseport_array.c)."""

from ebee.maps import FD_ACCESS, MapType, flags

_MISSING = {"machine": "there are no sockets on the machine"}
_SOCKETS = "map_lookup_elem map_update_elem map_delete_elem sk_select_reuseport"
_USER = "lookup update delete next_key freeze"

MAPS = (
    MapType(
        15, "sockmap", "4.14", "Sockets by index, to redirect data between.",
        key="u32", value="u32|u64", flags=flags("numa_node", also=FD_ACCESS), handle="socket",
        program=f"sk_redirect_map sock_map_update msg_redirect_map {_SOCKETS}",
        user=_USER + " lookup_batch update_batch delete_batch", btf="forbidden",
        needs=("CAP_NET_ADMIN",), missing=_MISSING,
    ),
    MapType(
        18, "sockhash", "4.18", "Sockets by key, to redirect data between.",
        value="u32|u64", flags=flags("numa_node", also=FD_ACCESS), handle="socket",
        program=f"sk_redirect_hash sock_hash_update msg_redirect_hash {_SOCKETS}",
        user=_USER + " lookup_batch update_batch delete_batch", btf="forbidden",
        needs=("CAP_NET_ADMIN",), missing=_MISSING,
    ),
    MapType(
        20, "reuseport_sockarray", "4.19", "Sockets by index, to select one of a reuseport group.",
        key="u32", value="u32|u64", flags=flags("numa_node"), handle="socket",
        program="sk_select_reuseport", user=_USER, btf="forbidden", needs=("CAP_BPF",),
        missing=_MISSING,
    ),
)  # fmt: skip
