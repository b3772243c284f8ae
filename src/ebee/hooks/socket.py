"""Programs that choose packets or sockets: socket filters, SO_REUSEPORT, socket lookup, and the
flow dissector."""

from ebee.hooks import CtxField, Hook, Section, skb
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_NO_SKB = {"machine": "the machine has no socket buffers yet"}
_NO_SOCKETS = {"machine": "the machine has no sockets"}
_VERDICT = {"SK_DROP": 0, "SK_PASS": 1}

HOOKS = (
    Hook(
        "socket_filter", PROG_TYPES["socket_filter"], "3.19",
        "Filters what a socket receives: the result is how many bytes of the packet to keep, 0 "
        "drops it.",
        sections=(Section("socket"),),
        context="__sk_buff", fields=skb.fields(more="mark", write="cb"), attach="socket",
        helpers=sets.SOCKET_FILTER, missing=_NO_SKB,
    ),
    Hook(
        "sk_reuseport", PROG_TYPES["sk_reuseport"], "4.19",
        "Chooses the socket of a SO_REUSEPORT group for a packet or (since 5.14) for a connection "
        "whose listener closes.",
        sections=(
            Section("sk_reuseport/migrate", AT["sk_reuseport_select_or_migrate"]),
            Section("sk_reuseport", AT["sk_reuseport_select"]),
        ),
        context="sk_reuseport_md",
        fields=(
            CtxField("data", 0, 8, kind="packet", narrow=False),
            CtxField("data_end", 8, 8, kind="packet_end", narrow=False),
            CtxField("len", 16, 4),
            CtxField("eth_protocol", 20, 4, least=2, net=16),
            CtxField("ip_protocol", 24, 4),
            CtxField("bind_inany", 28, 4),
            CtxField("hash", 32, 4, narrow=False),
            CtxField("sk", 40, 8, kind="socket", narrow=False),
            CtxField("migrating_sk", 48, 8, kind="sock_common?", narrow=False),
        ),
        returns=_VERDICT, attach="socket", helpers=sets.SK_REUSEPORT, missing=_NO_SOCKETS,
    ),
    Hook(
        "sk_lookup", PROG_TYPES["sk_lookup"], "5.9",
        "Chooses the listening or unconnected socket of a packet in a network namespace.",
        sections=(Section("sk_lookup", AT["sk_lookup"]),),
        context="bpf_sk_lookup",
        fields=(
            CtxField("sk", 0, 8, kind="socket?", narrow=False),
            CtxField("family", 8, 4),
            CtxField("protocol", 12, 4),
            CtxField("remote_ip4", 16, 4, net=32),
            CtxField("remote_ip6", 20, 4, count=4, net=32),
            CtxField("remote_port", 36, 4, net=16),
            CtxField("local_ip4", 40, 4, net=32),
            CtxField("local_ip6", 44, 4, count=4, net=32),
            CtxField("local_port", 60, 4),
            CtxField("ingress_ifindex", 64, 4),
        ),
        returns=_VERDICT, result=(0, 1), attach="netns", helpers=sets.SK_LOOKUP,
        missing=_NO_SOCKETS,
    ),
    Hook(
        "flow_dissector", PROG_TYPES["flow_dissector"], "4.20",
        "Finds the flow keys of the packets of a network namespace (addresses, ports, protocol).",
        sections=(Section("flow_dissector", AT["flow_dissector"], optional=True),),
        context="__sk_buff", fields=skb.fields(only="data data_end flow_keys"),
        returns={"BPF_OK": 0, "BPF_DROP": 2, "BPF_FLOW_DISSECTOR_CONTINUE": 129},
        attach="netns", helpers=sets.FLOW_DISSECTOR, missing=_NO_SKB,
    ),
)  # fmt: skip
