"""XDP: a program for every received packet, before the network stack sees it."""

from ebee.hooks import CtxField, Hook, Section

_ATTACH_XDP, _ATTACH_DEVMAP, _ATTACH_CPUMAP = 37, 35, 41
_F_XDP_HAS_FRAGS = 1 << 5

HOOKS = (
    Hook(
        "xdp", 6, "4.8", "Runs in the driver for each received packet and decides its fate.",
        sections=(
            Section("xdp.frags/devmap", _ATTACH_DEVMAP, _F_XDP_HAS_FRAGS),
            Section("xdp/devmap", _ATTACH_DEVMAP),
            Section("xdp.frags/cpumap", _ATTACH_CPUMAP, _F_XDP_HAS_FRAGS),
            Section("xdp/cpumap", _ATTACH_CPUMAP),
            Section("xdp.frags", _ATTACH_XDP, _F_XDP_HAS_FRAGS),
            Section("xdp", _ATTACH_XDP),
        ),
        context="xdp_md",
        fields=(
            CtxField("data", 0, 4, "data", "packet", narrow=False),
            CtxField("data_end", 4, 4, "data_end", "packet_end", narrow=False),
            CtxField("data_meta", 8, 4, "data_meta", "packet_meta", narrow=False),
            CtxField("ingress_ifindex", 12, 4, "ingress_ifindex", narrow=False),
            CtxField("rx_queue_index", 16, 4, "rx_queue_index", narrow=False),
            CtxField("egress_ifindex", 20, 4, "egress_ifindex", narrow=False),
        ),
        block="ebee.abi.packet:Packet",
        returns={"XDP_ABORTED": 0, "XDP_DROP": 1, "XDP_PASS": 2, "XDP_TX": 3, "XDP_REDIRECT": 4},
        attach="netdev",
    ),
)  # fmt: skip
