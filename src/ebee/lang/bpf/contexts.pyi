"""What programs are given. Made by scripts/gen_stubs.py from the declarations."""

from typing import Any

from ebee.hooks import CtxField
from ebee.lang.bpf.packets import Packet
from ebee.lang.bpf.sockets import FlowKeys, Sock, SockCommon
from ebee.types import PtrType, Struct, array, be16, be32, i32, ptr, u8, u32, u64

CONTEXTS: dict[str, Any]
PLAIN: dict[str, Any]
BY_STRUCT: dict[str, str]
METHODS: tuple[str, ...]

def type_of(f: CtxField) -> Any: ...
def fields_of(name: str) -> list[CtxField]: ...
def pointed(t: Any, name: str) -> PtrType | None: ...

class Context(Struct):
    """What a program is given. Contexts are made by the kernel (or the machine) only."""

class _WithPacket(Context):
    def packet(self) -> Packet:
        """The packet, to be parsed from its start."""

class _WithRoom(_WithPacket):
    def push(self, size: int) -> bool:
        """Room for `size` bytes behind the Ethernet header; whether there was some. What was
        parsed before is gone then: begin with `packet()` again."""

    def pop(self, size: int) -> bool:
        """Take `size` bytes behind the Ethernet header away; whether they were there."""

class XdpContext(_WithRoom):
    """Context of @xdp (struct xdp_md)."""

    data: ptr[u8]
    data_end: ptr[u8]
    data_meta: ptr[u8]
    ingress_ifindex: u32
    rx_queue_index: u32
    egress_ifindex: u32

class SkbContext(_WithRoom):
    """A packet in a socket buffer (struct __sk_buff): context of @tc, @tcx, @cgroup_skb,
    @socket_filter, @sk_skb, @lwt and @flow_dissector, each with members of its own."""

    len: u32
    pkt_type: u32
    mark: u32
    queue_mapping: u32
    protocol: be16
    vlan_present: u32
    vlan_tci: u32
    vlan_proto: be16
    priority: u32
    ingress_ifindex: u32
    ifindex: u32
    tc_index: u32
    cb: array[u32, Any]
    hash: u32
    tc_classid: u32
    data: ptr[u8]
    data_end: ptr[u8]
    napi_id: u32
    family: u32
    remote_ip4: be32
    local_ip4: be32
    remote_ip6: array[be32, Any]
    local_ip6: array[be32, Any]
    remote_port: be32
    local_port: u32
    data_meta: ptr[u8]
    flow_keys: FlowKeys
    tstamp: u64
    wire_len: u32
    gso_segs: u32
    sk: SockCommon | None
    gso_size: u32
    tstamp_type: u8
    hwtstamp: u64

class SockContext(Context):
    """Context of @cgroup_sock (struct bpf_sock)."""

    bound_dev_if: u32
    family: u32
    type: u32
    protocol: u32
    mark: u32
    priority: u32
    src_ip4: be32
    src_ip6: array[be32, Any]
    src_port: u32
    dst_port: be16
    dst_ip4: be32
    dst_ip6: array[be32, Any]
    state: u32
    rx_queue_mapping: u32

class SockAddrContext(Context):
    """Context of @cgroup_sock_addr (struct bpf_sock_addr)."""

    user_family: u32
    user_ip4: be32
    user_ip6: array[be32, Any]
    user_port: be16
    family: u32
    type: u32
    protocol: u32
    msg_src_ip4: be32
    msg_src_ip6: array[be32, Any]
    sk: Sock

class SockoptContext(_WithPacket):
    """Context of @cgroup_sockopt (struct bpf_sockopt). `packet()` is a cursor over the value."""

    sk: Sock
    optval: ptr[u8]
    optval_end: ptr[u8]
    level: i32
    optname: i32
    optlen: i32
    retval: i32

class SysctlContext(Context):
    """Context of @cgroup_sysctl (struct bpf_sysctl)."""

    write: u32
    file_pos: u32

class DeviceContext(Context):
    """Context of @cgroup_device (struct bpf_cgroup_dev_ctx)."""

    access_type: u32
    major: u32
    minor: u32

class SockOpsContext(_WithPacket):
    """Context of @sock_ops (struct bpf_sock_ops)."""

    op: u32
    reply: u32
    args_1: u32
    args_2: u32
    args_3: u32
    family: u32
    remote_ip4: be32
    local_ip4: be32
    remote_ip6: array[be32, Any]
    local_ip6: array[be32, Any]
    remote_port: be32
    local_port: u32
    is_fullsock: u32
    snd_cwnd: u32
    srtt_us: u32
    bpf_sock_ops_cb_flags: u32
    state: u32
    rtt_min: u32
    snd_ssthresh: u32
    rcv_nxt: u32
    snd_nxt: u32
    snd_una: u32
    mss_cache: u32
    ecn_flags: u32
    rate_delivered: u32
    rate_interval_us: u32
    packets_out: u32
    retrans_out: u32
    total_retrans: u32
    segs_in: u32
    data_segs_in: u32
    segs_out: u32
    data_segs_out: u32
    lost_out: u32
    sacked_out: u32
    sk_txhash: u32
    bytes_received: u64
    bytes_acked: u64
    sk: Sock | None
    skb_data: ptr[u8]
    skb_data_end: ptr[u8]
    skb_len: u32
    skb_tcp_flags: u32
    skb_hwtstamp: u64

class MsgContext(_WithPacket):
    """A message: context of @sk_msg (struct sk_msg_md)."""

    data: ptr[u8]
    data_end: ptr[u8]
    family: u32
    remote_ip4: be32
    local_ip4: be32
    remote_ip6: array[be32, Any]
    local_ip6: array[be32, Any]
    remote_port: be32
    local_port: u32
    size: u32
    sk: Sock

class SkLookupContext(Context):
    """Context of @sk_lookup (struct bpf_sk_lookup)."""

    sk: Sock | None
    family: u32
    protocol: u32
    remote_ip4: be32
    remote_ip6: array[be32, Any]
    remote_port: be16
    local_ip4: be32
    local_ip6: array[be32, Any]
    local_port: u32
    ingress_ifindex: u32

class ReuseportContext(_WithPacket):
    """Context of @sk_reuseport (struct sk_reuseport_md)."""

    data: ptr[u8]
    data_end: ptr[u8]
    len: u32
    eth_protocol: be16
    ip_protocol: u32
    bind_inany: u32
    hash: u32
    sk: Sock
    migrating_sk: SockCommon | None

class RegistersContext(Context):
    """Registers (struct pt_regs): context of kprobes, uprobes and USDT markers."""

    r15: u64
    r14: u64
    r13: u64
    r12: u64
    rbp: u64
    rbx: u64
    r11: u64
    r10: u64
    r9: u64
    r8: u64
    rax: u64
    rcx: u64
    rdx: u64
    rsi: u64
    rdi: u64
    orig_rax: u64
    rip: u64
    cs: u64
    eflags: u64
    rsp: u64
    ss: u64

class PerfEventContext(Context):
    """A sample: context of @perf_event (struct bpf_perf_event_data)."""

    r15: u64
    r14: u64
    r13: u64
    r12: u64
    rbp: u64
    rbx: u64
    r11: u64
    r10: u64
    r9: u64
    r8: u64
    rax: u64
    rcx: u64
    rdx: u64
    rsi: u64
    rdi: u64
    orig_rax: u64
    rip: u64
    cs: u64
    eflags: u64
    rsp: u64
    ss: u64
    sample_period: u64
    addr: u64

class NetfilterContext(Context):
    """Context of @netfilter (struct bpf_nf_ctx)."""

    state: Any
    skb: Any

class RawContext(Context):
    """Context of @raw_tracepoint: the arguments of the tracepoint."""

    args: array[u64, Any]

class TraceContext(Context):
    """Context of programs with typed arguments: what they are before they have types. Helpers
    take it: bpf.get_func_ip(ctx)."""

    args: array[u64, Any]

class LircContext(Context):
    """Context of @lirc: one pulse or pause (LIRC_MODE2_*)."""

    sample: u32
