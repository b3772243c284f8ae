"""Contexts that are a kernel function's arguments (kernel/bpf/btf.c: btf_ctx_access)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.btf import FuncProto, Int, Ptr, TypeTag, Void
from ebee.verifier.core import btftype, scalar
from ebee.verifier.core import reg as R
from ebee.verifier.core.errors import DoesNotKnow, Rejected
from ebee.verifier.core.reg import UNKNOWN, Reg
from ebee.verifier.core.target import MAYBE_ERROR, MAYBE_NULL, Target

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

MAX_ARGUMENTS = 12  # MAX_BPF_FUNC_ARGS
_RETURNS = frozenset(("fexit", "lsm", "lsm_cgroup", "fmod_ret"))
_TAGS = {"user": R.USER, "percpu": R.PERCPU}


def access(w: Walk, target: Target, off: int, size: int, write: bool) -> Reg:
    """A load of an argument; the register that it gives."""
    refused = f"invalid bpf_context access off={off} size={size}"
    if write or not 0 <= off < 8 * MAX_ARGUMENTS or off % size:
        raise Rejected("context-access", refused)
    if off % 8:
        text = f"func '{target.name}' offset {off} is not multiple of 8\n{refused}"
        raise Rejected("context-access", text)
    proto = target.proto
    if proto is None:
        raise DoesNotKnow("functions without a prototype")
    index, params = _argument(target, proto, off), proto.params[target.skip :]
    if index > len(params):
        raise _none(target, index, refused)
    if index == len(params):
        return _result(w, target, proto, index, size, refused)
    return _pointer(w, target, params[index].type, index, size, refused)


def _argument(target: Target, proto: FuncProto, off: int) -> int:
    """The number of the argument at an offset: structs take as many places as they need."""
    at = 0
    for index, param in enumerate(proto.params[target.skip :]):
        at += (target.btf.sizeof(param.type) + 7) // 8 * 8
        if off < at:
            return index
    result = proto.type
    if not result or isinstance(target.btf.resolve(result), Void):
        return len(proto.params) - target.skip + (off >= at + 8)
    at += (target.btf.sizeof(result) + 7) // 8 * 8
    return len(proto.params) - target.skip + (off >= at)


def _none(target: Target, index: int, refused: str) -> Rejected:
    text = f"func '{target.name}' doesn't have {index + 1}-th argument\n{refused}"
    return Rejected("context-access", text)


def _result(w: Walk, target: Target, proto: FuncProto, index: int, size: int, refused: str) -> Reg:
    """What the function returned, where the program runs after it."""
    hook = w.program.hook.name
    if hook not in _RETURNS:
        raise _none(target, index, refused)
    if not proto.type:
        return UNKNOWN
    if hook == "fmod_ret":
        found = target.btf.resolve(proto.type)
        if not btftype.is_scalar(found):
            text = f"ret type {btftype.kind_name(found)} not allowed for fmod_ret"
            raise Rejected("context-access", f"{text}\n{refused}")
    if hook == "lsm":
        return _lsm_result(w)
    return _pointer(w, target, proto.type, index, size, refused)


def _lsm_result(w: Walk) -> Reg:
    """The result of the hooks before: what these may return."""
    from ebee.verifier.core import ret

    limits = ret.bounds(w)
    if limits is None:
        return UNKNOWN
    made = R.scalar()
    made.smin = made.tmin = limits[0]
    made.smax = made.tmax = limits[1]
    scalar.sync(made, w.profile.single_values)
    return made


def _pointer(w: Walk, target: Target, type_id: int, index: int, size: int, refused: str) -> Reg:
    btf = target.btf
    found = btftype.of(btf, type_id)
    if btftype.is_scalar(found.type) or found.composite:
        return UNKNOWN
    if not isinstance(found.type, Ptr):
        kind = btftype.kind_name(found.type)
        text = f"func '{target.name}' arg{index} '{found.name}' has type {kind}."
        raise Rejected("context-access", f"{text} Only pointer access is allowed\n{refused}")
    if size != 8:
        text = f"func '{target.name}' size {size} must be 8"
        raise Rejected("context-access", f"{text}\n{refused}")
    known = target.types.get(index)
    if known is not None and known & R.BASE == R.BUF:
        made = R.pointer(known)
        made.id = w.new_id()
        return made
    to = btftype.of(btf, found.type.type)
    if isinstance(to.type, Void | Int):
        return UNKNOWN
    if known is not None:
        made = R.pointer(known)
        made.btf, made.id = to, w.new_id() if known & R.NULLABLE else 0
        return made
    made = R.pointer(R.BTF | (R.TRUSTED if target.trusted else 0))
    params = target.proto.params[target.skip :] if target.proto is not None else ()
    name = params[index].name if index < len(params) else ""
    wrong = target.null >> 4 * index
    if wrong & MAYBE_NULL or name.endswith("__nullable"):
        made.type |= R.NULLABLE
        made.id = w.new_id()
    tag = btf.type(found.type.type)
    if isinstance(tag, TypeTag):
        made.type |= _TAGS.get(tag.name, 0)
    if not to.composite:
        kind = btftype.kind_name(to.type)
        text = f"func '{target.name}' arg{index} type {kind} is not a struct"
        raise Rejected("context-access", f"{text}\n{refused}")
    if wrong & MAYBE_ERROR:
        return UNKNOWN
    made.btf = _concrete(w, target, made, to)
    if w.log is not None:
        kind = btftype.kind_name(to.type)
        more = f"has btf_id {to.id} type {kind} '{to.name}'"
        w.log.add(f"func '{target.name}' arg{index} {more}\n")
    return made


def _concrete(w: Walk, target: Target, reg: Reg, to: btftype.BtfType) -> btftype.BtfType:
    """TCP's congestion control is given TCP sockets (bpf_tcp_ca_is_valid_access)."""
    unsafe = reg.type & ~(R.BASE | R.TRUSTED | R.RCU | R.ALLOC)
    if target.struct == "tcp_congestion_ops" and to.name == "sock" and not unsafe:
        return btftype.struct(target.btf, "tcp_sock") or to
    return to
