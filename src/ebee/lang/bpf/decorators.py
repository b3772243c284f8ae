"""A decorator for each hook: `@xdp`, `@cgroup_sock_addr("connect4")`, `@fentry("tcp_connect")`.

Each takes functions of the hook's context only; type checkers complain of others. Programs with
typed arguments (`@fentry`, `@kprobe`, ...) take those as parameters, see `arguments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ebee.errors import CompileError
from ebee.lang.bpf.programs import F, section

if TYPE_CHECKING:
    from ebee.lang.bpf import contexts as c

    Result = int | None
    _Xdp = TypeVar("_Xdp", bound=Callable[[c.XdpContext], int])
    _Skb = TypeVar("_Skb", bound=Callable[[c.SkbContext], int])
    _Sock = TypeVar("_Sock", bound=Callable[[c.SockContext], int])
    _Addr = TypeVar("_Addr", bound=Callable[[c.SockAddrContext], int])
    _Opt = TypeVar("_Opt", bound=Callable[[c.SockoptContext], int])
    _Sysctl = TypeVar("_Sysctl", bound=Callable[[c.SysctlContext], int])
    _Device = TypeVar("_Device", bound=Callable[[c.DeviceContext], int])
    _Ops = TypeVar("_Ops", bound=Callable[[c.SockOpsContext], int])
    _Msg = TypeVar("_Msg", bound=Callable[[c.MsgContext], int])
    _Lookup = TypeVar("_Lookup", bound=Callable[[c.SkLookupContext], int])
    _Reuseport = TypeVar("_Reuseport", bound=Callable[[c.ReuseportContext], int])
    _Netfilter = TypeVar("_Netfilter", bound=Callable[[c.NetfilterContext], int])
    _Perf = TypeVar("_Perf", bound=Callable[[c.PerfEventContext], Result])
    _Lirc = TypeVar("_Lirc", bound=Callable[[c.LircContext], Result])
    _Record = TypeVar("_Record", bound=Callable[[Any], Result])
    _Traced = TypeVar("_Traced", bound=Callable[..., Result])
    _Deciding = TypeVar("_Deciding", bound=Callable[..., int])


def _one_of(given: Any, *known: Any) -> Any:
    if given not in known:
        raise CompileError(f"{given!r} is neither {' nor '.join(map(repr, known))}")
    return given


def _named(base: str, name: str, *, sleepable: bool = False) -> Callable[[F], F]:
    """A section with what it is attached to."""
    if not isinstance(name, str) or not name:
        raise CompileError(f"@{base}({name!r}): say what it is attached to, by its name")
    return section(f"{base}{'.s' if sleepable else ''}/{name}")


# --- packets -------------------------------------------------------------------------------------


@overload
def xdp(function: _Xdp) -> _Xdp: ...
@overload
def xdp(*, frags: bool = False, at: str = "") -> Callable[[_Xdp], _Xdp]: ...
def xdp(function: Any = None, *, frags: bool = False, at: str = "") -> Any:
    """A program for every packet that an interface receives. `frags`: also packets in several
    buffers (since Linux 5.18). `at`: "devmap" or "cpumap", for packets on their way there."""
    where = f"/{_one_of(at, 'devmap', 'cpumap')}" if at else ""
    mark = section(f"xdp{'.frags' if frags else ''}{where}")
    return mark if function is None else mark(function)


def tc(function: _Skb) -> _Skb:
    """A classifier, attached to a queueing discipline. See also @tcx."""
    return section("classifier")(function)  # the name that all loaders know: Aya takes no "tc"


def tc_action(function: _Skb) -> _Skb:
    """An action of a classifier."""
    return section("action")(function)


def tcx(direction: str) -> Callable[[_Skb], _Skb]:
    """A program at a device's "ingress" or "egress". Since Linux 6.6."""
    return section(f"tcx/{_one_of(direction, 'ingress', 'egress')}")


def netkit(end: str) -> Callable[[_Skb], _Skb]:
    """At the "primary" or "peer" end of a netkit device pair. Since Linux 6.7."""
    return section(f"netkit/{_one_of(end, 'primary', 'peer')}")


def lwt(where: str) -> Callable[[_Skb], _Skb]:
    """For packets of a route: "in", "out", "xmit", or "seg6local" (an action of segment routing).
    Since Linux 4.10."""
    return section(f"lwt_{_one_of(where, 'in', 'out', 'xmit', 'seg6local')}")


def flow_dissector(function: _Skb) -> _Skb:
    """Finds the flow keys of packets: `ctx.flow_keys`. Since Linux 4.20."""
    return section("flow_dissector")(function)


def netfilter(function: _Netfilter) -> _Netfilter:
    """Among the rules of the packet filter. Since Linux 6.4."""
    return section("netfilter")(function)


# --- sockets -------------------------------------------------------------------------------------


def socket_filter(function: _Skb) -> _Skb:
    """Filters what a socket receives: the result is how many bytes of a packet to keep."""
    return section("socket")(function)


def sk_lookup(function: _Lookup) -> _Lookup:
    """Chooses the socket of a packet: `bpf.sk_assign(ctx, sk, 0)`. Since Linux 5.9."""
    return section("sk_lookup")(function)


@overload
def sk_reuseport(function: _Reuseport) -> _Reuseport: ...
@overload
def sk_reuseport(*, migrate: bool = False) -> Callable[[_Reuseport], _Reuseport]: ...
def sk_reuseport(function: Any = None, *, migrate: bool = False) -> Any:
    """Chooses the socket of a SO_REUSEPORT group (`sockets.select(ctx, index)`); with `migrate`
    also for connections whose listener closes (since Linux 5.14)."""
    mark = section(f"sk_reuseport{'/migrate' if migrate else ''}")
    return mark if function is None else mark(function)


def sk_msg(function: _Msg) -> _Msg:
    """For data that a socket of a map sends. Since Linux 4.17."""
    return section("sk_msg")(function)


def sk_skb(what: str) -> Callable[[_Skb], _Skb]:
    """For data that a socket of a map receives: its "stream_parser" (the result is how long the
    message is), its "stream_verdict", or its "verdict" (no parser, any kind of socket; since Linux
    5.13)."""
    return section(f"sk_skb/{_one_of(what, 'stream_parser', 'stream_verdict', 'verdict')}")


def sock_ops(function: _Ops) -> _Ops:
    """At many points in the life of the TCP connections of a control group: `ctx.op`."""
    return section("sockops")(function)


# --- control groups ------------------------------------------------------------------------------


def cgroup_skb(direction: str) -> Callable[[_Skb], _Skb]:
    """For packets that sockets of a control group receive ("ingress") or send ("egress")."""
    return section(f"cgroup_skb/{_one_of(direction, 'ingress', 'egress')}")


_EVENTS = {"create": "sock_create", "release": "sock_release", "post_bind4": "post_bind4",
           "post_bind6": "post_bind6"}  # fmt: skip


def cgroup_sock(event: str) -> Callable[[_Sock], _Sock]:
    """When a socket of a control group is made ("create"), gone ("release", since Linux 5.9) or
    has been bound ("post_bind4", "post_bind6")."""
    return section(f"cgroup/{_EVENTS[_one_of(event, *_EVENTS)]}")


def cgroup_sock_addr(call: str) -> Callable[[_Addr], _Addr]:
    """When a process of a control group names an address: "bind4", "connect6", "sendmsg4",
    "recvmsg4", "getpeername4", "getsockname4" and their like with 6 and _unix. The program may
    change it."""
    from ebee.hooks import by_name

    hook = by_name("cgroup_sock_addr")
    assert hook is not None
    known = [s.name.removeprefix("cgroup/") for s in hook.sections]
    return section(f"cgroup/{_one_of(call, *known)}")


def cgroup_sockopt(which: str) -> Callable[[_Opt], _Opt]:
    """When a process of a control group "get"s or "set"s a socket option. Since Linux 5.3."""
    return section(f"cgroup/{_one_of(which, 'get', 'set')}sockopt")


def cgroup_sysctl(function: _Sysctl) -> _Sysctl:
    """When a process of a control group reads or writes below /proc/sys. Since Linux 5.2."""
    return section("cgroup/sysctl")(function)


def cgroup_device(function: _Device) -> _Device:
    """When a process of a control group makes or opens a device node. Since Linux 4.15."""
    return section("cgroup/dev")(function)


# --- tracing -------------------------------------------------------------------------------------


def tracepoint(name: str) -> Callable[[_Record], _Record]:
    """At a tracepoint of the kernel, "sched/sched_process_exec". The context is a @struct of the
    record's members as the tracepoint's format file describes them, or `Record`: then they are
    those of the running kernel."""
    if name.count("/") != 1:
        raise CompileError(f"@tracepoint({name!r}): write it as category/name")
    return section(f"tracepoint/{name}")


def raw_tracepoint(name: str, *, writable: bool = False) -> Callable[[_Traced], _Traced]:
    """At a tracepoint of the kernel, with its arguments as they are: parameters, or
    `ctx.args[0]`. `writable`: it may write into the buffer that some offer (since Linux 5.2)."""
    return _named("raw_tracepoint.w" if writable else "raw_tracepoint", name)


def tp_btf(name: str) -> Callable[[_Traced], _Traced]:
    """At a tracepoint of the kernel, its arguments as typed kernel pointers. Since Linux 5.5."""
    return _named("tp_btf", name)


def kprobe(function: str) -> Callable[[_Traced], _Traced]:
    """At a function of the kernel, or an instruction of it: "do_unlinkat", "do_exit+0x10"."""
    return _named("kprobe", function)


def kretprobe(function: str) -> Callable[[_Traced], _Traced]:
    """At the return from a function of the kernel: the parameter `result`."""
    return _named("kretprobe", function)


def kprobe_multi(pattern: str) -> Callable[[_Traced], _Traced]:
    """At many functions of the kernel at once: "tcp_*". Since Linux 5.18."""
    return _named("kprobe.multi", pattern)


def kretprobe_multi(pattern: str) -> Callable[[_Traced], _Traced]:
    """At the return from many functions of the kernel. Since Linux 5.18."""
    return _named("kretprobe.multi", pattern)


def kprobe_session(pattern: str) -> Callable[[_Deciding], _Deciding]:
    """At both entry and return of functions of the kernel. Since Linux 6.10."""
    return _named("kprobe.session", pattern)


def ksyscall(name: str) -> Callable[[_Traced], _Traced]:
    """At the entry of a system call: "openat". Its arguments are parameters."""
    return _named("ksyscall", name)


def kretsyscall(name: str) -> Callable[[_Traced], _Traced]:
    """At the return from a system call: the parameter `result`."""
    return _named("kretsyscall", name)


def fentry(function: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """At the entry of a function of the kernel or of an eBPF program. Since Linux 5.5."""
    return _named("fentry", function, sleepable=sleepable)


def fexit(function: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """At the exit of a function, with its arguments and (the parameter `result`, since Linux 5.17)
    its result. Since Linux 5.5."""
    return _named("fexit", function, sleepable=sleepable)


def fmod_ret(function: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """Before a function that allows it; a result other than 0 is given in its place. Since Linux
    5.7."""
    return _named("fmod_ret", function, sleepable=sleepable)


def fsession(function: str, *, sleepable: bool = False) -> Callable[[_Deciding], _Deciding]:
    """At both entry and exit of a function. Since Linux 7.0."""
    return _named("fsession", function, sleepable=sleepable)


def freplace(function: str) -> Callable[[F], F]:
    """In place of a global function of a loaded eBPF program. Since Linux 5.6."""
    return _named("freplace", function)


def uprobe(place: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """At an instruction of a user program or library: "/bin/bash:readline", "libc:malloc"."""
    return _named("uprobe", place, sleepable=sleepable)


def uretprobe(place: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """At the return from a function of a user program: the parameter `result`."""
    return _named("uretprobe", place, sleepable=sleepable)


def uprobe_multi(places: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """At many functions of a user program: "libc:str*". Since Linux 6.6."""
    return _named("uprobe.multi", places, sleepable=sleepable)


def uretprobe_multi(places: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """At the return from many functions of a user program. Since Linux 6.6."""
    return _named("uretprobe.multi", places, sleepable=sleepable)


def uprobe_session(places: str, *, sleepable: bool = False) -> Callable[[_Deciding], _Deciding]:
    """At both entry and return of functions of a user program. Since Linux 6.13."""
    return _named("uprobe.session", places, sleepable=sleepable)


def usdt(marker: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """At a marker that a program's author has put into it: "libc:libc:memory_sbrk_more". Its
    arguments are parameters."""
    if marker.count(":") < 2:
        raise CompileError(f"@usdt({marker!r}): write it as path:provider:name")
    return _named("usdt", marker, sleepable=sleepable)


def perf_event(function: _Perf) -> _Perf:
    """For each sample of a counter, hardware's or software's. Since Linux 4.9."""
    return section("perf_event")(function)


def iterator(kind: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """For each object of a kind ("task", "tcp", "bpf_map_elem", ...): what it prints can be read
    like a file. Since Linux 5.8."""
    return _named("iter", kind, sleepable=sleepable)


def lsm(hook: str, *, sleepable: bool = False) -> Callable[[_Traced], _Traced]:
    """A security hook, for all processes: "file_open". Since Linux 5.7."""
    return _named("lsm", hook, sleepable=sleepable)


def lsm_cgroup(hook: str) -> Callable[[_Deciding], _Deciding]:
    """A security hook, for the processes of a control group. Since Linux 6.0."""
    return _named("lsm_cgroup", hook)


# --- others --------------------------------------------------------------------------------------


def syscall(function: _Record) -> _Record:
    """Runs when user space asks for it, with a @struct of its making. Since Linux 5.14."""
    return section("syscall")(function)


def lirc(function: _Lirc) -> _Lirc:
    """For each pulse and pause of an infrared receiver. Since Linux 4.18."""
    return section("lirc_mode2")(function)


__all__ = [
    "cgroup_device", "cgroup_skb", "cgroup_sock", "cgroup_sock_addr", "cgroup_sockopt",
    "cgroup_sysctl", "fentry", "fexit", "flow_dissector", "fmod_ret", "freplace", "fsession",
    "iterator", "kprobe", "kprobe_multi", "kprobe_session", "kretprobe", "kretprobe_multi",
    "kretsyscall", "ksyscall", "lirc", "lsm", "lsm_cgroup", "lwt", "netfilter", "netkit",
    "perf_event", "raw_tracepoint", "sk_lookup", "sk_msg", "sk_reuseport", "sk_skb", "sock_ops",
    "socket_filter", "syscall", "tc", "tc_action", "tcx", "tp_btf", "tracepoint", "uprobe",
    "uprobe_multi", "uprobe_session", "uretprobe", "uretprobe_multi", "usdt", "xdp",
]  # fmt: skip
