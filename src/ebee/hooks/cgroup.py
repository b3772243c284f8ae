"""Control groups: programs for what the processes of a group do with sockets, devices, settings
(kernel/bpf/cgroup.c, net/core/filter.c)."""

from ebee.hooks import CtxField, Hook, Section, skb
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_NO_CGROUPS = {"machine": "the machine has no cgroups"}
_ALLOW = {"reject": 0, "allow": 1}


def _at(*names: str) -> tuple[int, ...]:
    return tuple(AT[f"cgroup_{name}"] for name in names)


def _section(name: str, attach_type: str, optional: bool = False) -> Section:
    return Section(name, AT[f"cgroup_{attach_type}"], optional=optional)


# --- struct bpf_sock -----------------------------------------------------------------------------

_CREATE = _at("inet_sock_create", "inet_sock_release")
_BIND4, _BIND6 = _at("inet4_post_bind"), _at("inet6_post_bind")


def _sock(name: str, offset: int, at: tuple[int, ...] = (), write: bool = False) -> CtxField:
    return CtxField(name, offset, 4, write=write, narrow=not write, head=True, at=at)


_BPF_SOCK = (
    _sock("bound_dev_if", 0, _CREATE, write=True),
    _sock("family", 4), _sock("type", 8), _sock("protocol", 12),
    _sock("mark", 16, _CREATE, write=True), _sock("priority", 20, _CREATE, write=True),
    CtxField("src_ip4", 24, 4, at=_BIND4, net=32),
    CtxField("src_ip6", 28, 4, count=4, at=_BIND6, net=32),
    _sock("src_port", 44, _BIND4 + _BIND6),
    CtxField("dst_port", 48, 2, also=(4,), net=16),
    CtxField("dst_ip4", 52, 4, net=32),
    CtxField("dst_ip6", 56, 4, count=4, net=32),
    _sock("state", 72), _sock("rx_queue_mapping", 76),
)  # fmt: skip

# --- struct bpf_sock_addr ------------------------------------------------------------------------

_CALLS = ("bind", "connect", "sendmsg", "recvmsg", "getpeername", "getsockname")
_FAMILIES = ("4", "6", "_unix")


def _call_type(call: str, family: str) -> str | None:
    """The attach type of a section `cgroup/connect4`; there is no bind_unix."""
    if family == "_unix":
        return None if call == "bind" else f"unix_{call}"
    return f"udp{family}_{call}" if call.endswith("msg") else f"inet{family}_{call}"


_ADDR_SECTIONS = tuple(
    _section(f"cgroup/{call}{family}", attach_type)
    for call in _CALLS
    for family in _FAMILIES
    if (attach_type := _call_type(call, family))
)


def _types(*sections: str) -> tuple[int, ...]:
    found = {s.name.removeprefix("cgroup/"): s.attach_type for s in _ADDR_SECTIONS}
    return tuple(t for name in sections if (t := found[name]) is not None)


_V4 = _types(*(f"{call}4" for call in _CALLS))
_V6 = _types(*(f"{call}6" for call in _CALLS))
_CHOOSING = _types(*(f"{call}4" for call in _CALLS[:3]), *(f"{call}6" for call in _CALLS[:3]))
_CHOOSING += _types("connect_unix", "sendmsg_unix")
_FIXED = tuple(t for s in _ADDR_SECTIONS if (t := s.attach_type) and t not in _CHOOSING)
"""Attach types whose programs decide, and those whose programs must return 1."""

_SOCK_ADDR = (
    CtxField("user_family", 0, 4, narrow=False),
    CtxField("user_ip4", 4, 4, write=True, at=_V4, net=32),
    CtxField("user_ip6", 8, 4, write=True, count=4, also=(8,), at=_V6, net=32),
    CtxField("user_port", 24, 4, write=True, net=16),
    CtxField("family", 28, 4, narrow=False),
    CtxField("type", 32, 4, narrow=False),
    CtxField("protocol", 36, 4, narrow=False),
    CtxField("msg_src_ip4", 40, 4, write=True, at=_types("sendmsg4"), net=32),
    CtxField("msg_src_ip6", 44, 4, write=True, count=4, also=(8,), at=_types("sendmsg6"), net=32),
    CtxField("sk", 64, 8, kind="socket", narrow=False),
)

# --- struct bpf_sock_ops -------------------------------------------------------------------------


def _order(name: str) -> int:
    return 32 if "_ip" in name or name == "remote_port" else 0


def _ops(names: str, offset: int, count: int = 1) -> tuple[CtxField, ...]:
    return tuple(
        CtxField(name, offset + 4 * i, 4, narrow=False, count=count, net=_order(name))
        for i, name in enumerate(names.split())
    )


def _ops64(name: str, offset: int, kind: str = "scalar") -> CtxField:
    return CtxField(name, offset, 8, kind=kind, narrow=False)


_SOCK_OPS = (
    *_ops("op", 0),
    CtxField("reply", 4, 4, write=True, narrow=False),  # args[0]; args[1..3] follow
    *_ops("args_1 args_2 args_3 family remote_ip4 local_ip4", 8),
    *_ops("remote_ip6", 32, 4), *_ops("local_ip6", 48, 4),
    *_ops(
        "remote_port local_port is_fullsock snd_cwnd srtt_us bpf_sock_ops_cb_flags state rtt_min "
        "snd_ssthresh rcv_nxt snd_nxt snd_una mss_cache ecn_flags rate_delivered rate_interval_us "
        "packets_out retrans_out total_retrans segs_in data_segs_in segs_out data_segs_out "
        "lost_out sacked_out", 64,
    ),
    CtxField("sk_txhash", 164, 4, write=True, narrow=False),
    _ops64("bytes_received", 168), _ops64("bytes_acked", 176),
    _ops64("sk", 184, "socket?"),
    _ops64("skb_data", 192, "packet"), _ops64("skb_data_end", 200, "packet_end"),
    CtxField("skb_len", 208, 4, narrow=False),
    CtxField("skb_tcp_flags", 212, 4, head=True),
    _ops64("skb_hwtstamp", 216),
)  # fmt: skip

# --- the hooks -----------------------------------------------------------------------------------

_GET, _SET = _at("getsockopt"), _at("setsockopt")

HOOKS = (
    Hook(
        "cgroup_skb", PROG_TYPES["cgroup_skb"], "4.10",
        "For packets that the group's sockets receive or send.",
        sections=(
            _section("cgroup_skb/ingress", "inet_ingress", optional=True),
            _section("cgroup_skb/egress", "inet_egress", optional=True),
            Section("cgroup/skb"),
        ),
        context="__sk_buff",
        fields=skb.fields(
            more="mark data data_end family remote_ip4 local_ip4 remote_ip6 local_ip6 remote_port "
            "local_port tstamp hwtstamp",
            write="mark priority cb tstamp",
        ),
        returns={"drop": 0, "pass": 1, "drop_congested": 2, "pass_congested": 3},
        result=(0, 1), result_at={AT["cgroup_inet_egress"]: (0, 3)},
        attach="cgroup", helpers=sets.CGROUP_SKB, missing=_NO_CGROUPS,
    ),
    Hook(
        "cgroup_sock", PROG_TYPES["cgroup_sock"], "4.10",
        "When a socket of the group is made, bound or released.",
        sections=(
            _section("cgroup/sock_create", "inet_sock_create"),
            _section("cgroup/sock_release", "inet_sock_release"),
            _section("cgroup/sock", "inet_sock_create", optional=True),
            _section("cgroup/post_bind4", "inet4_post_bind"),
            _section("cgroup/post_bind6", "inet6_post_bind"),
        ),
        context="bpf_sock", fields=_BPF_SOCK,
        returns=_ALLOW, result=(0, 1), attach="cgroup", helpers=sets.CGROUP_SOCK,
        missing=_NO_CGROUPS,
    ),
    Hook(
        "cgroup_sock_addr", PROG_TYPES["cgroup_sock_addr"], "4.17",
        "When a process names an address: bind, connect, sendmsg, recvmsg, getpeername, "
        "getsockname; it may change it.",
        sections=_ADDR_SECTIONS, context="bpf_sock_addr", fields=_SOCK_ADDR,
        returns=_ALLOW, result=(0, 1),
        result_at=dict.fromkeys(_FIXED, (1, 1)) | dict.fromkeys(_types("bind4", "bind6"), (0, 3)),
        attach="cgroup", helpers=sets.CGROUP_SOCK_ADDR,
        more=dict.fromkeys(_CHOOSING, sets.RETVAL)
        | dict.fromkeys(_types("connect4", "connect6"), sets.RETVAL | {"bind"}),
        missing=_NO_CGROUPS,
    ),
    Hook(
        "cgroup_sockopt", PROG_TYPES["cgroup_sockopt"], "5.3",
        "When a process gets or sets a socket option.",
        sections=(
            _section("cgroup/getsockopt", "getsockopt"), _section("cgroup/setsockopt", "setsockopt")
        ),
        context="bpf_sockopt",
        fields=(
            CtxField("sk", 0, 8, kind="socket", narrow=False),
            CtxField("optval", 8, 8, kind="packet", narrow=False),
            CtxField("optval_end", 16, 8, kind="packet_end", narrow=False),
            CtxField("level", 24, 4, write=True, narrow=False, write_at=_SET, signed=True),
            CtxField("optname", 28, 4, write=True, narrow=False, write_at=_SET, signed=True),
            CtxField("optlen", 32, 4, write=True, narrow=False, signed=True),
            CtxField("retval", 36, 4, write=True, narrow=False, at=_GET, signed=True),
        ),
        returns=_ALLOW, result=(0, 1), attach="cgroup", helpers=sets.CGROUP_SOCKOPT,
        more=dict.fromkeys(_SET, sets.SOCKOPT), missing=_NO_CGROUPS,
    ),
    Hook(
        "cgroup_sysctl", PROG_TYPES["cgroup_sysctl"], "5.2",
        "When a process reads or writes a file below /proc/sys.",
        sections=(_section("cgroup/sysctl", "sysctl"),),
        context="bpf_sysctl",
        fields=(CtxField("write", 0, 4), CtxField("file_pos", 4, 4, write=True)),
        returns=_ALLOW, result=(0, 1), attach="cgroup", helpers=sets.CGROUP_SYSCTL,
        missing=_NO_CGROUPS,
    ),
    Hook(
        "cgroup_dev", PROG_TYPES["cgroup_device"], "4.15",
        "When a process makes or opens a device node.",
        sections=(_section("cgroup/dev", "device", optional=True),),
        context="bpf_cgroup_dev_ctx",
        fields=(
            CtxField("access_type", 0, 4),  # BPF_DEVCG_ACC_* << 16 | BPF_DEVCG_DEV_*
            CtxField("major", 4, 4, narrow=False), CtxField("minor", 8, 4, narrow=False),
        ),
        returns=_ALLOW, result=(0, 1), attach="cgroup", helpers=sets.CGROUP_DEVICE,
        more={AT["cgroup_device"]: sets.RETVAL},
        missing=_NO_CGROUPS,
    ),
    Hook(
        "sock_ops", PROG_TYPES["sock_ops"], "4.13",
        "At many points in the life of a TCP connection; reads its state, sets its parameters.",
        sections=(Section("sockops", AT["cgroup_sock_ops"], optional=True),),
        context="bpf_sock_ops", fields=_SOCK_OPS,
        returns=_ALLOW, result=(0, 1), attach="cgroup", helpers=sets.SOCK_OPS,
        missing=_NO_CGROUPS,
    ),
)  # fmt: skip
