"""Programs of socket maps: they pass, drop or redirect what sockets receive (sk_skb) or send
(sk_msg)."""

from ebee.hooks import CtxField, Hook, Section, skb
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_NO_SOCKETS = {"machine": "the machine has no sockets"}
_VERDICT = {"SK_DROP": 0, "SK_PASS": 1}


def _u32(name: str, offset: int, count: int = 1) -> CtxField:
    net = 32 if "_ip" in name or name == "remote_port" else 0
    return CtxField(name, offset, 4, narrow=False, count=count, net=net)


HOOKS = (
    Hook(
        "sk_skb", PROG_TYPES["sk_skb"], "4.14",
        "For data that a socket of a map receives: where a message ends (parser), what happens to "
        "it (verdict).",
        sections=(
            Section("sk_skb/stream_parser", AT["sk_skb_stream_parser"], optional=True),
            Section("sk_skb/stream_verdict", AT["sk_skb_stream_verdict"], optional=True),
            Section("sk_skb/verdict", AT["sk_skb_verdict"], optional=True),
            Section("sk_skb"),
        ),
        context="__sk_buff",
        fields=skb.fields(
            more="data data_end family remote_ip4 local_ip4 remote_ip6 local_ip6 remote_port "
            "local_port",
            write="priority tc_index",
        ),
        returns=_VERDICT, attach="sockmap", helpers=sets.SK_SKB, missing=_NO_SOCKETS,
    ),
    Hook(
        "sk_msg", PROG_TYPES["sk_msg"], "4.17", "For data that a socket of a map sends.",
        sections=(Section("sk_msg", AT["sk_msg_verdict"], optional=True),),
        context="sk_msg_md",
        fields=(
            CtxField("data", 0, 8, kind="packet", narrow=False),
            CtxField("data_end", 8, 8, kind="packet_end", narrow=False),
            _u32("family", 16), _u32("remote_ip4", 20), _u32("local_ip4", 24),
            _u32("remote_ip6", 28, 4), _u32("local_ip6", 44, 4), _u32("remote_port", 60),
            _u32("local_port", 64), _u32("size", 68),
            CtxField("sk", 72, 8, kind="socket", narrow=False),
        ),
        returns=_VERDICT, attach="sockmap", helpers=sets.SK_MSG, missing=_NO_SOCKETS,
    ),
)  # fmt: skip
