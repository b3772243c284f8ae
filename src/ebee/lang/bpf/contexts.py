"""Contexts: what programs are given, made from the hooks' declarations.

Members that are in network order read (and are stored) as numbers; pointers have the types of what
they point to. Which members there are depends on the hook, too: those of the other hooks that
share a context are refused where it is compiled. contexts.pyi says the same to type checkers; it
is made by scripts/gen_stubs.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ebee.types import (
    ArrayType,
    Field,
    PtrType,
    Struct,
    be16,
    be32,
    i32,
    storage,
    u8,
    u16,
    u32,
    u64,
)

if TYPE_CHECKING:
    from ebee.hooks import CtxField


class Context(Struct):
    """What a program is given. Contexts are made by the kernel (or the machine) only."""

    __slots__ = ()
    __size__ = 0
    __align__ = 8
    __fields__ = {}


@dataclass(frozen=True)
class Declared:
    """A context: the hooks whose members it has, and what it is."""

    hooks: tuple[str, ...]
    doc: str


CONTEXTS = {
    "XdpContext": Declared(("xdp",), "Context of @xdp (struct xdp_md)."),
    "SkbContext": Declared(
        ("tc", "cgroup_skb", "socket_filter", "sk_skb", "lwt_xmit", "flow_dissector"),
        "A packet in a socket buffer (struct __sk_buff): context of @tc, @tcx, @cgroup_skb,"
        " @socket_filter, @sk_skb, @lwt and @flow_dissector, each with members of its own.",
    ),
    "SockContext": Declared(("cgroup_sock",), "Context of @cgroup_sock (struct bpf_sock)."),
    "SockAddrContext": Declared(
        ("cgroup_sock_addr",), "Context of @cgroup_sock_addr (struct bpf_sock_addr)."
    ),
    "SockoptContext": Declared(
        ("cgroup_sockopt",),
        "Context of @cgroup_sockopt (struct bpf_sockopt). `packet()` is a cursor over the value.",
    ),
    "SysctlContext": Declared(("cgroup_sysctl",), "Context of @cgroup_sysctl (struct bpf_sysctl)."),
    "DeviceContext": Declared(
        ("cgroup_dev",), "Context of @cgroup_device (struct bpf_cgroup_dev_ctx)."
    ),
    "SockOpsContext": Declared(("sock_ops",), "Context of @sock_ops (struct bpf_sock_ops)."),
    "MsgContext": Declared(("sk_msg",), "A message: context of @sk_msg (struct sk_msg_md)."),
    "SkLookupContext": Declared(("sk_lookup",), "Context of @sk_lookup (struct bpf_sk_lookup)."),
    "ReuseportContext": Declared(
        ("sk_reuseport",), "Context of @sk_reuseport (struct sk_reuseport_md)."
    ),
    "RegistersContext": Declared(
        ("kprobe",), "Registers (struct pt_regs): context of kprobes, uprobes and USDT markers."
    ),
    "PerfEventContext": Declared(
        ("perf_event",), "A sample: context of @perf_event (struct bpf_perf_event_data)."
    ),
    "NetfilterContext": Declared(("netfilter",), "Context of @netfilter (struct bpf_nf_ctx)."),
}
"""Class -> what it is made from."""

PLAIN = {
    "RawContext": ("args", ArrayType(u64, 12), "bpf_raw_tracepoint_args",
                   "Context of @raw_tracepoint: the arguments of the tracepoint."),
    "TraceContext": ("args", ArrayType(u64, 12), "",
                     "Context of programs with typed arguments: what they are before they have"
                     " types. Helpers take it: bpf.get_func_ip(ctx)."),
    "LircContext": ("sample", u32, "", "Context of @lirc: one pulse or pause (LIRC_MODE2_*)."),
}  # fmt: skip
"""Contexts of one member: its name, its type, the struct's name in C, what it is."""

BY_STRUCT = {
    "xdp_md": "XdpContext", "__sk_buff": "SkbContext", "bpf_sock": "SockContext",
    "bpf_sock_addr": "SockAddrContext", "bpf_sockopt": "SockoptContext",
    "bpf_sysctl": "SysctlContext", "bpf_cgroup_dev_ctx": "DeviceContext",
    "bpf_sock_ops": "SockOpsContext", "sk_msg_md": "MsgContext",
    "bpf_sk_lookup": "SkLookupContext", "sk_reuseport_md": "ReuseportContext",
    "pt_regs": "RegistersContext", "bpf_perf_event_data": "PerfEventContext",
    "bpf_nf_ctx": "NetfilterContext", "bpf_raw_tracepoint_args": "RawContext",
}  # fmt: skip
"""UAPI struct of a hook's context -> class."""

KERNEL = {
    ("NetfilterContext", "state"): "nf_hook_state", ("NetfilterContext", "skb"): "sk_buff",
}  # fmt: skip
"""Context and member -> the kernel's struct that it points to."""

METHODS = ("packet", "push", "pop")
"""What contexts of packets can do."""

_BY_SIZE = {1: u8, 2: u16, 4: u32, 8: u64}
_PORT = storage("be16", u16, big=True, size=4, align=4, padded=32)
"""A number of 16 bits in network order that the kernel keeps in 32."""


def type_of(f: CtxField) -> Any:
    """The static type of a member, of one element where it is an array."""
    from ebee.lang.bpf.sockets import POINTED

    pointed = POINTED.get(f.kind.removesuffix("?"))
    if pointed is not None:
        return PtrType(pointed)
    if f.net:
        return be32 if f.net == 32 else be16 if f.size == 2 else _PORT
    return i32 if f.signed else _BY_SIZE[f.size]


@cache
def _made(name: str) -> type[Context]:
    """The class of a context."""
    from ebee.hooks import by_name

    if name in PLAIN:
        member, t, c_name, doc = PLAIN[name]
        members = {member: Field(member, t, 0)}
        size = 96 if member == "args" else 4
    else:
        declared, doc, members, size = CONTEXTS[name], CONTEXTS[name].doc, {}, 0
        hook = by_name(declared.hooks[0])
        assert hook is not None
        c_name = hook.context or ""
        for f in fields_of(name):
            t = type_of(f)
            members[f.name] = Field(f.name, ArrayType(t, f.count) if f.count > 1 else t, f.offset)
            size = max(size, f.end)
    space: dict[str, Any] = {
        "__slots__": (), "__doc__": doc, "__module__": __name__, "__fields__": members,
        "__size__": -(-size // 8) * 8, "__align__": 8,
    }  # fmt: skip
    if c_name:
        space["__cname__"] = c_name
    return type(name, (Context,), space | members)


def fields_of(name: str) -> list[CtxField]:
    """The members that the hooks of a context declare, in order."""
    from ebee.hooks import by_name

    hooks = [h for n in CONTEXTS[name].hooks if (h := by_name(n)) is not None]
    found = {f.name: f for h in hooks for f in h.fields}
    return sorted(found.values(), key=lambda f: f.offset)


def pointed(t: Any, name: str) -> PtrType | None:
    """The type of a context's member that points to one of the kernel's structs."""
    kernel = KERNEL.get((getattr(t, "__name__", ""), name))
    if kernel is None or not issubclass(t, Context):
        return None
    from ebee.lang.bpf import kernel_types

    kernel_types.note_use()
    return PtrType(kernel_types.find(kernel).trusted)


def __getattr__(name: str) -> Any:
    if name not in CONTEXTS and name not in PLAIN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = made = _made(name)
    return made
