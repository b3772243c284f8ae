"""Maps of AF_XDP sockets, targets of XDP redirection (net/xdp/xskmap.c)."""

from ebee.maps import FD_ACCESS, MapType, flags

MAPS = (
    MapType(
        17, "xskmap", "4.18", "AF_XDP sockets by index, for bpf_redirect_map.",
        key="u32", value="u32", flags=flags("numa_node", also=FD_ACCESS), handle="socket",
        program="redirect_map map_lookup_elem", user="update delete next_key freeze",
        btf="forbidden", needs=("CAP_NET_ADMIN",),
        missing={"machine": "there are no AF_XDP sockets on the machine"},
    ),
)  # fmt: skip
