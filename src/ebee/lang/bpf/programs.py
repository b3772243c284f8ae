"""Programs: functions with a hook, `@xdp` and its like; their contexts and results.

    @xdp
    def firewall(ctx: XdpContext) -> XDP:
        return XDP.PASS

A decorator only notes the hook: the function stays what it is. Contexts are made from the hooks'
declarations; the annotations here are for editors and type checkers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ebee.errors import CompileError
from ebee.types import Field, Struct, array, be16, ptr, u8, u16, u32, u64

if TYPE_CHECKING:
    from ebee.hooks import Hook, Section
    from ebee.lang.bpf.packets import Packet

F = TypeVar("F", bound=Callable[..., Any])


# --- results -------------------------------------------------------------------------------------


class XDP(IntEnum):
    """What becomes of a packet (enum xdp_action)."""

    ABORTED = 0
    DROP = 1
    PASS = 2
    TX = 3
    REDIRECT = 4


class TC(IntEnum):
    """What a classifier says of a packet (TC_ACT_*)."""

    UNSPEC = -1
    OK = 0
    RECLASSIFY = 1
    SHOT = 2
    PIPE = 3
    STOLEN = 4
    QUEUED = 5
    REPEAT = 6
    REDIRECT = 7
    TRAP = 8


class TCX(IntEnum):
    """What a program at tcx says of a packet."""

    NEXT = -1
    PASS = 0
    DROP = 2
    REDIRECT = 7


class Cgroup(IntEnum):
    """Whether a control group lets a packet or call through."""

    DROP = 0
    PASS = 1


# --- contexts ------------------------------------------------------------------------------------


class Context(Struct):
    """What a program is given. Contexts are made by the kernel (or the machine) only."""

    __slots__ = ()
    __size__ = 0
    __align__ = 8
    __fields__ = {}


if TYPE_CHECKING:

    class _WithPacket(Context):
        data: ptr[u8]
        data_end: ptr[u8]

        def packet(self) -> Packet:
            """The packet, to be parsed from its start."""

        def push(self, size: int) -> bool:
            """Room for `size` bytes behind the Ethernet header; whether there was some. What was
            parsed before is gone then: begin with `packet()` again."""

        def pop(self, size: int) -> bool:
            """Take `size` bytes behind the Ethernet header away; whether they were there."""

    class XdpContext(_WithPacket):
        """Context of @xdp (struct xdp_md)."""

        data_meta: ptr[u8]
        ingress_ifindex: u32
        rx_queue_index: u32
        egress_ifindex: u32

    class SkbContext(_WithPacket):
        """Context of @tc, @tcx, @cgroup_skb, @socket_filter (struct __sk_buff). Which members
        there are depends on the hook."""

        data_meta: ptr[u8]
        len: u32
        pkt_type: u32
        mark: u32
        queue_mapping: u32
        protocol: be16
        vlan_present: u32
        vlan_tci: u32
        vlan_proto: u32
        priority: u32
        ingress_ifindex: u32
        ifindex: u32
        tc_index: u32
        cb: array[u32, Any]
        hash: u32
        tc_classid: u32
        napi_id: u32
        family: u32
        remote_ip4: u32
        local_ip4: u32
        remote_ip6: array[u32, Any]
        local_ip6: array[u32, Any]
        remote_port: u32
        local_port: u32
        tstamp: u64
        wire_len: u32
        gso_segs: u32
        gso_size: u32
        tstamp_type: u8
        hwtstamp: u64

    class RawContext(Context):
        """Context of @raw_tracepoint: the arguments of the tracepoint."""

        args: array[u64, Any]
else:
    _BY_SIZE = {1: u8, 2: u16, 4: u32, 8: u64}

    def _context(name, hooks, doc):
        """A context from the members that the hooks declare."""
        from ebee.hooks import by_name

        members, size = {}, 0
        for f in sorted({f.name: f for h in hooks for f in by_name(h).fields}.values(),
                        key=lambda f: f.offset):  # fmt: skip
            t = _BY_SIZE[f.size]
            members[f.name] = Field(f.name, array[t, f.count] if f.count > 1 else t, f.offset)
            size = max(size, f.end)
        body = {"__fields__": members, "__size__": -(-size // 8) * 8, "__align__": 8}
        space = {"__slots__": (), "__doc__": doc, "__module__": __name__}
        space["__cname__"] = by_name(hooks[0]).context
        return type(name, (Context,), space | body | members)

    class RawContext(Context):
        """Context of @raw_tracepoint: the arguments of the tracepoint."""

        __slots__ = ()
        __size__ = 96
        __fields__ = {"args": Field("args", array[u64, 12], 0)}

    _MADE = {
        "XdpContext": (("xdp",), "Context of @xdp (struct xdp_md)."),
        "SkbContext": (
            ("tc", "cgroup_skb", "socket_filter"),
            "Context of @tc, @tcx, @cgroup_skb, @socket_filter (struct __sk_buff).",
        ),
    }

    def __getattr__(name):
        if name not in _MADE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        hooks, doc = _MADE[name]
        globals()[name] = made = _context(name, hooks, doc)
        return made


CONTEXTS = {
    "xdp_md": "XdpContext", "__sk_buff": "SkbContext", "bpf_raw_tracepoint_args": "RawContext",
}  # fmt: skip
"""UAPI struct of a hook's context -> class."""


# --- decorators ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """What a decorator noted: the section name that stands for hook and target."""

    section: str

    @property
    def hook(self) -> Hook:
        """The hook's declaration; CompileError when the section is nobody's."""
        return self._found[0]

    @property
    def attach_type(self) -> int | None:
        """The expected attach type that the section stands for."""
        return self._found[1].attach_type

    @property
    def _found(self) -> tuple[Hook, Section, str | None]:
        from ebee.hooks import for_section

        found = for_section(self.section)
        if found is None:
            raise CompileError(f"no hook has sections called {self.section!r}")
        return found


def program_of(thing: Any) -> Program | None:
    """The hook that a function was marked with."""
    found = getattr(thing, "__program__", None)
    return found if isinstance(found, Program) else None


def section(name: str) -> Callable[[F], F]:
    """Any hook, by its section name as C programs give it to SEC(): `@section("sk_lookup")`."""

    def mark(f: F) -> F:
        f.__program__ = Program(name)  # type: ignore[attr-defined]
        return f

    Program(name).hook  # noqa: B018  (an unknown name is an error here and now)
    return mark


@overload
def xdp(function: F) -> F: ...
@overload
def xdp(*, frags: bool = False) -> Callable[[F], F]: ...
def xdp(function: Any = None, *, frags: bool = False) -> Any:
    """A program for every packet that an interface receives. `frags`: also packets in several
    buffers (since Linux 5.18)."""
    mark = section("xdp.frags" if frags else "xdp")
    return mark if function is None else mark(function)


def tc(function: F) -> F:
    """A classifier, attached to a queueing discipline. See also @tcx."""
    return section("tc")(function)


def tcx(direction: str) -> Callable[[F], F]:
    """A program at a device's "ingress" or "egress". Since Linux 6.6."""
    return section(f"tcx/{_one_of(direction, 'ingress', 'egress')}")


def socket_filter(function: F) -> F:
    """Filters what a socket receives: the result is how many bytes of a packet to keep."""
    return section("socket")(function)


def cgroup_skb(direction: str) -> Callable[[F], F]:
    """For packets that sockets of a control group receive ("ingress") or send ("egress")."""
    return section(f"cgroup_skb/{_one_of(direction, 'ingress', 'egress')}")


def tracepoint(name: str) -> Callable[[F], F]:
    """At a tracepoint of the kernel, "sched/sched_process_exec". The context is a @struct of the
    record's members, as the tracepoint's format file describes them."""
    if name.count("/") != 1:
        raise CompileError(f"@tracepoint({name!r}): write it as category/name")
    return section(f"tracepoint/{name}")


def raw_tracepoint(name: str) -> Callable[[F], F]:
    """At a tracepoint of the kernel, with its arguments as they are: `ctx.args[0]`."""
    return section(f"raw_tracepoint/{name}")


def _one_of(given: str, *known: str) -> str:
    if given not in known:
        raise CompileError(f"{given!r} is neither {' nor '.join(map(repr, known))}")
    return given


@overload
def func(function: F) -> F: ...
@overload
def func(*, inline: bool = True, separate: bool = False) -> Callable[[F], F]: ...
def func(function: Any = None, *, inline: bool = True, separate: bool = False) -> Any:
    """A function that programs call. It becomes part of its callers; with `inline=False` it is a
    subprogram of its own, with at most five arguments. With `separate=True` (a global function,
    since Linux 5.6) the verifier checks that once, by its types alone: numbers may be any,
    pointers (`ptr[S] | None`) may be None; so callers do not make it costlier."""

    def mark(f: Any) -> Any:
        from ebee.native import native

        made: Any = native(f)
        made.__inline__ = inline and not separate
        made.__separate__ = separate
        return made

    return mark if function is None else mark(function)


@cache
def decorators() -> frozenset[Any]:
    """All that may stand above a function that is compiled."""
    from ebee.lang.bpf.packets import parser
    from ebee.native import native

    hooks = (section, xdp, tc, tcx, socket_filter, cgroup_skb, tracepoint, raw_tracepoint)
    return frozenset((native, func, parser, *hooks))
