"""What programs give back, by name; and that they give what their hook knows.

An enumeration for each meaning. A program that declares another one, or returns a constant that
the hook gives no meaning (the verifier would refuse it), is a mistake with a place.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from ebee.lang.errors import Refusal, at
from ebee.lang.source import MISSING, Source
from ebee.lang.static import static_in

if TYPE_CHECKING:
    from ebee.hooks import Hook


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
    """What a program at tcx (or netkit) says of a packet."""

    NEXT = -1
    PASS = 0
    DROP = 2
    REDIRECT = 7


class Cgroup(IntEnum):
    """Whether a control group lets a packet through. At egress it may report congestion, too."""

    DROP = 0
    PASS = 1
    DROP_CONGESTED = 2
    PASS_CONGESTED = 3


class Access(IntEnum):
    """Whether a control group lets a process do what it asked for. Denied, the call fails with
    EPERM. ALLOW_ANY_PORT, of @cgroup_sock_addr("bind4") and 6: also ports below 1024."""

    DENY = 0
    ALLOW = 1
    ALLOW_ANY_PORT = 3


class SK(IntEnum):
    """What becomes of data, a message, a connection: verdicts of socket programs (enum
    sk_action)."""

    DROP = 0
    PASS = 1


class NF(IntEnum):
    """What netfilter does with a packet."""

    DROP = 0
    ACCEPT = 1


class LWT(IntEnum):
    """What becomes of a packet of a route (enum bpf_ret_code)."""

    OK = 0
    DROP = 2
    REDIRECT = 7
    REROUTE = 128


class Flow(IntEnum):
    """What a flow dissector found: all, a packet to drop, or that the kernel's shall look."""

    OK = 0
    DROP = 2
    CONTINUE = 129


class LSM(IntEnum):
    """What a security hook says: it may go on, or fails with -EPERM, -EACCES (or another negative
    error number)."""

    ALLOW = 0
    DENY = -1
    NO_ACCESS = -13


class Iter(IntEnum):
    """What an iterator says: the next object, or this one again."""

    NEXT = 0
    AGAIN = 1


class Session(IntEnum):
    """What a session's program says at the entry: run at the return, too, or not."""

    BOTH = 0
    SKIP_RETURN = 1


RESULTS: dict[str, type[IntEnum]] = {
    "xdp": XDP, "tc": TC, "tc_action": TC, "tcx": TCX, "netkit": TCX, "cgroup_skb": Cgroup,
    **dict.fromkeys(("cgroup_sock", "cgroup_sock_addr", "cgroup_sockopt", "cgroup_sysctl",
                     "cgroup_dev", "sock_ops", "lsm_cgroup"), Access),
    **dict.fromkeys(("sk_skb", "sk_msg", "sk_lookup", "sk_reuseport"), SK),
    "netfilter": NF, "flow_dissector": Flow, "lsm": LSM, "iter": Iter,
    **dict.fromkeys(("lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local"), LWT),
    **dict.fromkeys(("kprobe.session", "uprobe.session", "fsession", "fsession.multi"), Session),
}  # fmt: skip
"""Hook -> what its programs give back; not here: numbers, or nothing."""

NOTHING = frozenset((
    "kprobe", "ksyscall", "kprobe.multi", "uprobe", "uprobe.multi", "usdt", "tracepoint",
    "raw_tracepoint", "raw_tracepoint_writable", "tp_btf", "perf_event", "fentry", "fexit",
    "fmod_ret", "fentry.multi", "fexit.multi", "iter", "lirc_mode2", "syscall", "struct_ops",
    "freplace", "lsm", "kprobe.session", "uprobe.session", "fsession", "fsession.multi",
))  # fmt: skip
"""Hooks whose programs may be `-> None`, which is 0."""

WRONG = {"tc": 2, "tc_action": 2, "tcx": 2, "netkit": 2, "flow_dissector": 2, "lwt_in": 2,
         "lwt_out": 2, "lwt_xmit": 2, "lwt_seg6local": 2, "lsm": -1}  # fmt: skip
"""Results of programs where something is wrong, by hook, where that is not the lowest one."""


def bounds(hook: Hook, attach_type: int | None) -> tuple[int, int] | None:
    """The lowest and highest result that the verifier takes."""
    return hook.result_at.get(attach_type, hook.result) if attach_type else hook.result


def wrong(hook: Hook, attach_type: int | None) -> int:
    """The result where something is wrong: `assert`, `raise`."""
    least = (bounds(hook, attach_type) or (0, 0))[0]
    return WRONG.get(hook.name, max(least, 0))


def check(source: Source, hook: Hook, attach_type: int | None, declared: Any) -> None:
    """Refuse results that the hook does not know: another enumeration than its own, constants out
    of bounds."""
    own, limits = RESULTS.get(hook.name), bounds(hook, attach_type)
    returns = source.tree.returns
    if own is not None and _foreign(declared, own) and returns is not None:
        raise at(source, returns, _refusal(hook, f"`{declared.__name__}`", own, limits))
    for node in _returned(source.tree):
        thing = _constant(source, node)
        if thing is MISSING:
            continue
        outside = limits is not None and not limits[0] <= int(thing) <= limits[1]
        if outside or (own is not None and _foreign(type(thing), own)):
            raise at(source, node, _refusal(hook, f"`{ast.unparse(node)}`", own, limits))


def _foreign(t: Any, own: type[IntEnum]) -> bool:
    """Whether a type is another enumeration of results."""
    return t is not own and t in RESULTS.values()


def _refusal(
    hook: Hook, shown: str, own: type[IntEnum] | None, limits: tuple[int, int] | None
) -> Refusal:
    if own is not None:
        low, high = limits or (min(own), max(own))
        names = [f"{own.__name__}.{m.name}" for m in own if low <= m <= high]
        return Refusal(f"{shown} is no result of {hook.name} programs", "return " + _or(names))
    assert limits is not None
    numbers = _or([str(n) for n in range(limits[0], limits[1] + 1)])
    return Refusal(f"{shown} is no result of {hook.name} programs", f"return {numbers}")


def _or(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _constant(source: Source, node: ast.expr) -> Any:
    """The number that an expression certainly is."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _constant(source, node.operand)
        return -inner if type(inner) is int else MISSING
    thing = (
        node.value if isinstance(node, ast.Constant) else static_in(source, node, _locals(source))
    )
    return thing if isinstance(thing, int) else MISSING


def _locals(source: Source) -> set[str]:
    return {n.id for n in ast.walk(source.tree)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}  # fmt: skip


def _returned(tree: ast.FunctionDef) -> Iterator[ast.expr]:
    """What `return` gives, each branch of a conditional expression; what `raise Exit` does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            yield from _branches(node.value)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            called = node.exc.func
            if isinstance(called, ast.Name) and called.id == "Exit" and len(node.exc.args) == 1:
                yield from _branches(node.exc.args[0])


def _branches(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from _branches(node.body)
        yield from _branches(node.orelse)
    else:
        yield node


__all__ = [
    "LSM", "LWT", "NF", "NOTHING", "RESULTS", "SK", "TC", "TCX", "XDP", "Access", "Cgroup", "Flow",
    "Iter", "Session", "bounds", "check", "wrong",
]  # fmt: skip
