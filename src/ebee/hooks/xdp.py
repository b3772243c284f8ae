"""XDP: a program for every received packet, before the network stack sees it."""

from ebee.hooks import CtxField, Hook, Section
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_HAS_FRAGS = 1 << 5  # BPF_F_XDP_HAS_FRAGS

HOOKS = (
    Hook(
        "xdp", PROG_TYPES["xdp"], "4.8",
        "Runs in the driver for each received packet and decides its fate; also for packets on "
        "their way to a device (devmap) or a CPU (cpumap).",
        sections=(
            Section("xdp.frags/devmap", AT["xdp_devmap"], _HAS_FRAGS),
            Section("xdp/devmap", AT["xdp_devmap"]),
            Section("xdp.frags/cpumap", AT["xdp_cpumap"], _HAS_FRAGS),
            Section("xdp/cpumap", AT["xdp_cpumap"]),
            Section("xdp.frags", AT["xdp"], _HAS_FRAGS),
            Section("xdp", AT["xdp"], optional=True),
        ),
        context="xdp_md",
        fields=(
            CtxField("data", 0, 4, "data", "packet", narrow=False),
            CtxField("data_end", 4, 4, "data_end", "packet_end", narrow=False),
            CtxField("data_meta", 8, 4, "data_meta", "packet_meta", narrow=False),
            CtxField("ingress_ifindex", 12, 4, "ingress_ifindex", narrow=False),
            CtxField("rx_queue_index", 16, 4, "rx_queue_index", narrow=False),
            CtxField(
                "egress_ifindex", 20, 4, "egress_ifindex", narrow=False, at=(AT["xdp_devmap"],)
            ),
        ),
        block="ebee.abi.packet:Packet",
        returns={"XDP_ABORTED": 0, "XDP_DROP": 1, "XDP_PASS": 2, "XDP_TX": 3, "XDP_REDIRECT": 4},
        attach="netdev",
        helpers=sets.XDP,
    ),
)  # fmt: skip
