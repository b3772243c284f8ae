"""struct __sk_buff, the context of all hooks that see a socket buffer (net/core/filter.c:
bpf_skb_is_valid_access and the *_is_valid_access functions of the types)."""

from dataclasses import replace

from ebee.hooks import CtxField

_FIRST = (
    "len", "pkt_type", "mark", "queue_mapping", "protocol", "vlan_present", "vlan_tci",
    "vlan_proto", "priority", "ingress_ifindex", "ifindex", "tc_index",
)  # fmt: skip
_ALL = (
    *(
        CtxField(name, 4 * i, 4, net=16 if name in ("protocol", "vlan_proto") else 0)
        for i, name in enumerate(_FIRST)
    ),
    CtxField("cb", 48, 4, count=5, also=(8,), write_parts=True),
    CtxField("hash", 68, 4),
    CtxField("tc_classid", 72, 4),
    CtxField("data", 76, 4, kind="packet", narrow=False),
    CtxField("data_end", 80, 4, kind="packet_end", narrow=False),
    CtxField("napi_id", 84, 4),
    CtxField("family", 88, 4),
    CtxField("remote_ip4", 92, 4, narrow=False, net=32),
    CtxField("local_ip4", 96, 4, narrow=False, net=32),
    CtxField("remote_ip6", 100, 4, narrow=False, count=4, net=32),
    CtxField("local_ip6", 116, 4, narrow=False, count=4, net=32),
    CtxField("remote_port", 132, 4, net=32),
    CtxField("local_port", 136, 4),
    CtxField("data_meta", 140, 4, kind="packet_meta", narrow=False),
    CtxField("flow_keys", 144, 8, kind="flow_keys", narrow=False),
    CtxField("tstamp", 152, 8, narrow=False),
    CtxField("wire_len", 160, 4),
    CtxField("gso_segs", 164, 4),
    CtxField("sk", 168, 8, kind="sock_common?", narrow=False),
    CtxField("gso_size", 176, 4),
    CtxField("tstamp_type", 180, 1),
    CtxField("hwtstamp", 184, 8, narrow=False),
)  # fmt: skip

_COMMON = frozenset((
    "len", "pkt_type", "queue_mapping", "protocol", "vlan_present", "vlan_tci", "vlan_proto",
    "priority", "ingress_ifindex", "ifindex", "tc_index", "cb", "hash", "napi_id", "gso_segs", "sk",
    "gso_size",
))  # fmt: skip


def fields(more: str = "", write: str = "", only: str = "") -> tuple[CtxField, ...]:
    """The members that every type can load and `more` (or `only` those named); those in `write`
    can be stored."""
    names = frozenset(only.split()) or _COMMON | frozenset(more.split())
    stored = write.split()
    return tuple(replace(f, write=f.name in stored) for f in _ALL if f.name in names)
