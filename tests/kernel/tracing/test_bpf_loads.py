"""For every hook a program in Python that uses what the hook gives, loaded by the kernel. Those
that it may not load here are skipped, and loaded in the virtual machine."""

import errno

import pytest

from ebee import hooks, linux
from ebee.errors import KernelError, VerifierError
from ebee.lang.bpf import build
from ebee.lang.bpf.programs import program_of
from ebee.lang.source import define
from ebee.linux.errors import older_than
from ebee.linux.host import kernel_symbols

pytestmark = pytest.mark.kernel

PROGRAMS = {
    "xdp_devmap": """
@xdp(at="devmap")
def program(ctx: XdpContext) -> XDP:
    return XDP.DROP if ctx.egress_ifindex == 7 else XDP.PASS
""",
    "cgroup_skb": """
@cgroup_skb("egress")
def program(ctx: SkbContext) -> Cgroup:
    if ctx.protocol == ETH_IP and ctx.remote_port == 53 and ctx.remote_ip4 == 0x7f000001:
        return Cgroup.DROP
    packet = ctx.packet()
    ip = packet.parse(IPv4)
    if ip is None:
        return Cgroup.PASS
    sk = ctx.sk
    if sk is not None and sk.family == AF_INET:
        return Cgroup.PASS_CONGESTED
    return Cgroup.PASS
""",
    "sock_create": """
@cgroup_sock("create")
def program(ctx: SockContext) -> Access:
    ctx.mark = 5
    return Access.DENY if ctx.family == AF_INET6 and ctx.type == 2 else Access.ALLOW
""",
    "post_bind4": """
@cgroup_sock("post_bind4")
def program(ctx: SockContext) -> Access:
    return Access.DENY if ctx.src_port == 8080 and ctx.src_ip4 == 0x7f000001 else Access.ALLOW
""",
    "post_bind6": """
@cgroup_sock("post_bind6")
def program(ctx: SockContext) -> Access:
    return Access.DENY if ctx.src_port == 8080 and ctx.src_ip6[3] == 1 else Access.ALLOW
""",
    "connect4": """
@cgroup_sock_addr("connect4")
def program(ctx: SockAddrContext) -> Access:
    if ctx.user_port == 80 and ctx.user_ip4 == 0x01020304:
        ctx.user_ip4 = 0x7f000001
        ctx.user_port = 8080
    if ctx.sk.family != 2:
        return Access.DENY
    return Access.ALLOW
""",
    "connect6": """
@cgroup_sock_addr("connect6")
def program(ctx: SockAddrContext) -> Access:
    if ctx.user_port == 80 and ctx.user_ip6[0] == 0x20010db8:
        ctx.user_ip6[0] = 0
        ctx.user_ip6[3] = 1
        ctx.user_port += 1
    return Access.ALLOW
""",
    "recvmsg4": """
@cgroup_sock_addr("recvmsg4")
def program(ctx: SockAddrContext) -> Access:
    assert ctx.user_port != 7
    ctx.user_port = 7
    return Access.ALLOW
""",
    "sendmsg_unix": """
@cgroup_sock_addr("sendmsg_unix")
def program(ctx: SockAddrContext) -> Access:
    return Access.ALLOW
""",
    "getsockopt": """
@struct
class Value:
    value: u32

@cgroup_sockopt("get")
def program(ctx: SockoptContext) -> Access:
    packet = ctx.packet()
    value = packet.take(Value)
    if value is not None and ctx.level == 1 and ctx.optname == 8:
        value.value = 77
        ctx.retval = 0
    return Access.ALLOW
""",
    "setsockopt": """
@cgroup_sockopt("set")
def program(ctx: SockoptContext) -> Access:
    if ctx.optname == 9:
        ctx.optlen = u32(0)
    return Access.DENY if ctx.sk.protocol == 17 else Access.ALLOW
""",
    "sysctl": """
@struct
class Name:
    text: array[char, 32]

@cgroup_sysctl
def program(ctx: SysctlContext) -> Access:
    name = Name()
    bpf.sysctl_get_name(ctx, name, sizeof(Name), 1)
    return Access.DENY if ctx.write and name.text == "hostname" else Access.ALLOW
""",
    "device": """
@cgroup_device
def program(ctx: DeviceContext) -> Access:
    return Access.ALLOW if ctx.major == 1 and ctx.minor in (3, 5, 7) else Access.DENY
""",
    "sock_ops": """
@sock_ops
def program(ctx: SockOpsContext) -> Access:
    if ctx.op == 4:
        ctx.reply = 10
        sk = ctx.sk
        if sk is not None:
            tcp = bpf.tcp_sock(sk)
            if tcp is not None and tcp.snd_cwnd > 5 and ctx.remote_port == 80:
                return Access.ALLOW if ctx.local_port == 1 else Access.DENY
    return Access.ALLOW
""",
    "sk_msg": """
@sk_msg
def program(ctx: MsgContext) -> SK:
    packet = ctx.packet()
    here = ctx.remote_port == 80 and ctx.local_ip4 == 3
    return SK.PASS if ctx.size > 4 and packet.remaining() and here else SK.DROP
""",
    "sk_skb": """
peers = SockHash[u32](max_entries=4)
@sk_skb("stream_verdict")
def program(ctx: SkbContext) -> SK:
    return peers.redirect(ctx, 3)
""",
    "parser": """
@sk_skb("stream_parser")
def program(ctx: SkbContext) -> int:
    return ctx.len
""",
    "sk_lookup": """
socks = SockMap(max_entries=4)
@sk_lookup
def program(ctx: SkLookupContext) -> SK:
    if ctx.local_port == 7 and ctx.remote_port == 9 and ctx.remote_ip4 == 3:
        return SK.DROP
    return SK.PASS
""",
    "reuseport": """
@sk_reuseport
def program(ctx: ReuseportContext) -> SK:
    packet = ctx.packet()
    long = ctx.len > 8 and packet.remaining() > 100
    return SK.DROP if ctx.eth_protocol == ETH_IP and long else SK.PASS
""",
    "flow": """
@flow_dissector
def program(ctx: SkbContext) -> Flow:
    keys = ctx.flow_keys
    keys.ip_proto = 17
    keys.sport = 53
    keys.addresses.ipv4.source = 0x01020304
    keys.n_proto = ETH_IP
    return Flow.OK
""",
    "netfilter": """
@netfilter
def program(ctx: NetfilterContext) -> NF:
    return NF.ACCEPT
""",
    "lwt": """
@lwt("xmit")
def program(ctx: SkbContext) -> LWT:
    ctx.mark = 5
    return LWT.OK if ctx.packet().remaining() > 3 else LWT.DROP
""",
    "seg6": """
@lwt("seg6local")
def program(ctx: SkbContext) -> LWT:
    return LWT.OK if ctx.packet().remaining() > 3 else LWT.DROP
""",
    "perf": """
@perf_event
def program(ctx: PerfEventContext) -> None:
    print(f"{ctx.sample_period} {ctx.rip}")
""",
    "syscall": """
@struct
class A:
    a: u32
    b: u64
@syscall
def program(ctx: A) -> None:
    ctx.b = u64(ctx.a) + 1
""",
    "kprobe": """
@kprobe("do_nanosleep")
def program(ctx: RegistersContext, t: ptr[u8], mode: i32) -> None:
    if mode > 3:
        print(f"{mode} {ctx.rip}")
""",
    "kretprobe": """
@kretprobe("do_nanosleep")
def program(result: i32) -> None:
    if result < 0:
        print(f"{result}")
""",
    "ksyscall": """
total: Global[u64] = 0
@ksyscall("nanosleep")
def program(a: u64, b: u32) -> None:
    global total
    total += a + b
""",
    "usdt": """
total: Global[u64] = 0
@usdt("libc:libc:memory_sbrk_more")
def program(a: u64, b: i32) -> None:
    global total
    total += a + u64(b)
""",
    "tp": """
@struct
class E:
    name: array[char, 32]
events = RingBuf[E](size=4096)
@tracepoint("sched/sched_process_exec")
def program(ctx: Record) -> None:
    with events.reserve() as e:
        if e is None:
            return
        if ctx.pid > 5:
            bpf.probe_read_kernel_str(e.name, 32, ctx.filename)
""",
    "raw_tp": """
total: Global[u64] = 0
@raw_tracepoint("sys_enter")
def program(regs: u64, number: i64) -> None:
    global total
    if number == 5:
        total += 1
""",
    "tp_btf": """
total: Global[u64] = 0
@tp_btf("sched_process_exit")
def program(task) -> None:
    global total
    if task.tgid == task.pid:
        total += 1
""",
    "fentry": """
total: Global[u64] = 0
@fentry("do_nanosleep")
def program(t, mode) -> None:
    global total
    total += u64(mode)
""",
    "fexit": """
total: Global[u64] = 0
@fexit("do_nanosleep")
def program(t, mode, result) -> None:
    global total
    total += u64(result)
""",
    "lsm": """
@lsm("file_mprotect")
def program(vma, reqprot: u64, prot: u64, ret: i32) -> LSM:
    return LSM.DENY if prot == 7 else LSM.ALLOW
""",
    "lsm_cgroup": """
@lsm_cgroup("socket_bind")
def program(sock: ptr[u8], address: ptr[u8], size: i32) -> Access:
    return Access.DENY if size == 28 else Access.ALLOW
""",
    "iter": """
@iterator("task")
def program(ctx: TraceContext, meta, task) -> Iter:
    if task is None:
        return Iter.NEXT
    return Iter.NEXT
""",
    "fsession": """
@fsession("do_nanosleep")
def program(t: ptr[u8], mode: i32) -> Session:
    return Session.SKIP_RETURN if mode > 3 else Session.BOTH
""",
    "kprobe_multi": """
@kprobe_multi("do_nanosleep")
def program(ctx: RegistersContext, t: ptr[u8], mode: i32) -> None:
    if mode > 3:
        print(f"{bpf.get_func_ip(ctx):x}")
""",
    "kretprobe_multi": """
@kretprobe_multi("do_nanosleep")
def program(result: i32) -> None:
    if result < 0:
        print(f"{result}")
""",
    "kprobe_session": """
@kprobe_session("do_nanosleep")
def program(ctx: RegistersContext) -> Session:
    return Session.SKIP_RETURN if ctx.rdi == 0 else Session.BOTH
""",
    "uprobe_multi": """
@uprobe_multi("libc:mall*")
def program(size: u64) -> None:
    print(f"{size}")
""",
    "uretprobe_multi": """
@uretprobe_multi("libc:mall*")
def program(result: ptr[u8]) -> None:
    if not result:
        print("no memory")
""",
    "uprobe_session": """
@uprobe_session("libc:mall*")
def program(size: u64, result: u64) -> Session:
    return Session.BOTH if size > 5 and result == 0 else Session.SKIP_RETURN
""",
    "sleepable uprobe": """
@struct
class Text:
    text: array[char, 16]

@uprobe("libc:puts", sleepable=True)
def program(text: ptr[u8]) -> None:
    here = Text()
    if bpf.copy_from_user(here, 16, text) == 0 and here.text.startswith("hello"):
        print("hello")
""",
    "kretsyscall": """
@kretsyscall("nanosleep")
def program(result: i64) -> None:
    if result < 0:
        print(f"{result}")
""",
    "raw_tracepoint writable": """
@raw_tracepoint("nbd_send_request", writable=True)
def program(ctx: RawContext) -> None:
    if ctx.args[2] == 0:
        print("nothing")
""",
    "tc_action": """
@tc_action
def program(ctx: SkbContext) -> TC:
    ctx.priority = 3
    return TC.PIPE
""",
    "tcx": """
@tcx("egress")
def program(ctx: SkbContext) -> TCX:
    return TCX.DROP if ctx.vlan_proto == ETH_QINQ else TCX.NEXT
""",
    "netkit": """
@netkit("peer")
def program(ctx: SkbContext) -> TCX:
    return TCX.PASS
""",
    "lwt in": """
@lwt("in")
def program(ctx: SkbContext) -> LWT:
    return LWT.OK if ctx.packet().remaining() > 3 else LWT.DROP
""",
    "lwt out": """
@lwt("out")
def program(ctx: SkbContext) -> LWT:
    return LWT.OK if ctx.packet().remaining() > 3 else LWT.DROP
""",
    "migrate": """
servers = ReuseportArray(max_entries=2)

@sk_reuseport(migrate=True)
def program(ctx: ReuseportContext) -> SK:
    if ctx.migrating_sk is not None:
        servers.select(ctx, 1)
    return SK.PASS
""",
    "release": """
@cgroup_sock("release")
def program(ctx: SockContext) -> Access:
    return Access.ALLOW
""",
    "bind4": """
@cgroup_sock_addr("bind4")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 8080
    return Access.ALLOW_ANY_PORT
""",
    "bind6": """
@cgroup_sock_addr("bind6")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 8080
    return Access.ALLOW_ANY_PORT
""",
    "connect_unix": """
@cgroup_sock_addr("connect_unix")
def program(ctx: SockAddrContext) -> Access:
    return Access.ALLOW
""",
    "sendmsg4": """
@cgroup_sock_addr("sendmsg4")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 8080
    ctx.msg_src_ip4 = 0x7f000001
    return Access.ALLOW
""",
    "sendmsg6": """
@cgroup_sock_addr("sendmsg6")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 8080
    ctx.msg_src_ip6[3] = 1
    return Access.ALLOW
""",
    "recvmsg6": """
@cgroup_sock_addr("recvmsg6")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 8080
    return Access.ALLOW
""",
    "recvmsg_unix": """
@cgroup_sock_addr("recvmsg_unix")
def program(ctx: SockAddrContext) -> Access:
    return Access.ALLOW
""",
    "getpeername4": """
@cgroup_sock_addr("getpeername4")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 8080
    return Access.ALLOW
""",
    "getpeername6": """
@cgroup_sock_addr("getpeername6")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 8080
    return Access.ALLOW
""",
    "getpeername_unix": """
@cgroup_sock_addr("getpeername_unix")
def program(ctx: SockAddrContext) -> Access:
    return Access.ALLOW
""",
    "getsockname4": """
@cgroup_sock_addr("getsockname4")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 8080
    return Access.ALLOW
""",
    "getsockname6": """
@cgroup_sock_addr("getsockname6")
def program(ctx: SockAddrContext) -> Access:
    ctx.user_port = 8080
    return Access.ALLOW
""",
    "getsockname_unix": """
@cgroup_sock_addr("getsockname_unix")
def program(ctx: SockAddrContext) -> Access:
    return Access.ALLOW
""",
    "lirc": """
@lirc
def program(ctx: LircContext) -> None:
    if ctx.sample > 5:
        bpf.rc_repeat(ctx)
""",
    "xdp frags": """
@xdp(frags=True)
def program(ctx: XdpContext) -> XDP:
    return XDP.DROP if bpf.xdp_get_buff_len(ctx) > 3000 else XDP.PASS
""",
    "xdp cpumap": """
@xdp(at="cpumap")
def program(ctx: XdpContext) -> XDP:
    return XDP.PASS
""",
}

ABSENT = {"lirc_mode2": "lirc_prog_attach"}
"""Hooks that kernels may be built without -> a function that is there with them."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_kernel_takes_a_program_of_each_hook(name):
    program = define("from ebee import *\n" + PROGRAMS[name])["program"]
    hook = program_of(program).hook
    if older_than(hook.since):
        pytest.skip(f"{hook.name} requires Linux >= {hook.since}")
    if hook.name in ABSENT and not kernel_symbols(ABSENT[hook.name]):
        pytest.skip(f"this kernel was built without {hook.name}")
    spec = build.compile(program)
    try:
        linux.load(spec).close()
    except VerifierError:
        raise
    except KernelError as error:
        if error.errno != errno.EPERM:
            raise
        pytest.skip(str(error).splitlines()[0])


def test_every_hook_is_among_them():
    found = {program_of(define("from ebee import *\n" + text)["program"]).hook.name
             for text in PROGRAMS.values()}  # fmt: skip
    elsewhere = {"xdp", "tc", "socket_filter", "struct_ops", "freplace", "fmod_ret", "uprobe",
                 "fentry.multi", "fexit.multi", "fsession.multi"}  # fmt: skip
    assert found | elsewhere == {h.name for h in hooks.all_hooks()}
