"""Global functions: checked once, for any arguments of the types that their BTF promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee import helpers
from ebee.btf import Enum, Enum64, Func, FuncProto, Int, Ptr, Struct
from ebee.verifier.core import args, mem
from ebee.verifier.core import reg as R
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.state import Frame

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

Argument = tuple[str, int]
"""What a parameter takes: ("scalar", 0), ("ctx", 0) or ("mem", its size)."""


def arguments(w: Walk, start: int) -> list[Argument]:
    """The parameters of a global function. DoesNotKnow for types that have rules of their own."""
    btf = w.program.btf
    info = next((f for f in w.program.funcs if f.start == start), None)
    if btf is None or info is None or not info.btf_id:
        raise DoesNotKnow("global functions without BTF")
    function = btf.type(info.btf_id)
    if not isinstance(function, Func):
        raise DoesNotKnow("global functions without BTF")
    proto = btf.type(function.type)
    assert isinstance(proto, FuncProto)
    result = btf.resolve(proto.type) if proto.type else None
    if not isinstance(result, Int | Enum | Enum64):
        raise DoesNotKnow("global functions that return no number")
    if any("arg:" in tag for tag in _tags(w, info.btf_id)):
        raise DoesNotKnow("tagged arguments of global functions")
    return [_argument(w, param.type) for param in proto.params]


def _tags(w: Walk, btf_id: int) -> list[str]:
    from ebee.btf import DeclTag

    btf = w.program.btf
    assert btf is not None
    return [t.name for t in btf if isinstance(t, DeclTag) and t.type == btf_id]


def _argument(w: Walk, type_id: int) -> Argument:
    btf = w.program.btf
    assert btf is not None
    found = btf.resolve(type_id)
    if isinstance(found, Int | Enum | Enum64):
        return "scalar", 0
    if not isinstance(found, Ptr):
        raise DoesNotKnow("arguments of global functions that are no numbers or pointers")
    if not found.type:
        raise DoesNotKnow("void pointers as arguments of global functions")
    target = btf.resolve(found.type)
    if w.program.hook.context is None or isinstance(target, Ptr):
        raise DoesNotKnow("pointers as arguments of global functions here")
    if isinstance(target, Struct) and target.name == w.program.hook.context:
        return "ctx", 0
    try:
        return "mem", btf.sizeof(found.type)
    except Exception:
        raise DoesNotKnow("pointers to incomplete types") from None


def check_arguments(w: Walk, start: int) -> None:
    """A call passes what the function promises to take (btf_check_func_arg_match)."""
    wanted = arguments(w, start)
    for index, (kind, size) in enumerate(wanted):
        regno = index + 1
        reg = w.read(regno)
        if kind == "scalar":
            if reg.type != R.SCALAR:
                raise _unfit(w, start, f"R{regno} is not a scalar")
        elif kind == "ctx":
            if reg.type != R.CTX:
                name = R.type_name(reg.type)
                raise _unfit(w, start, f"arg#{index} expected pointer to ctx, but got {name}")
            mem.check_fixed(reg, regno)
        else:
            if reg.is_null:
                w.precise(regno)
                continue
            base = reg.type & R.BASE
            if base not in (R.STACK, R.PACKET, R.META, R.MAP_KEY, R.MAP_VALUE, R.MEM):
                raise DoesNotKnow("this pointer as an argument of a global function")
            plain = reg.copy()
            plain.type &= ~R.NULLABLE
            args.check_memory(w, None, plain, regno, size, False)
            args.check_memory(w, None, plain, regno, size, True)


def _unfit(w: Walk, start: int, text: str) -> Rejected:
    number = w.cfg.owner[start]
    name = next((f.name for f in w.program.funcs if f.start == start), "")
    more = f"Caller passes invalid args into func#{number} ('{name}')"
    return Rejected("argument-type", f"{text}\n{more}", "", EINVAL)


def global_frame(w: Walk, start: int) -> Frame:
    """The state in which a global function is checked."""
    frame = Frame(0, w.cfg.owner[start], start, -1)
    for index, (kind, size) in enumerate(arguments(w, start)):
        if kind == "scalar":
            frame.regs[index + 1] = R.UNKNOWN
        elif kind == "ctx":
            frame.regs[index + 1] = R.pointer(R.CTX)
        else:
            made = R.pointer(R.MEM | R.NULLABLE)
            made.range, made.id = size, w.new_id()
            frame.regs[index + 1] = made
    return frame


def moves_packet(w: Walk, start: int) -> bool:
    """Whether a function, or one that it calls, may move the packet."""
    seen: set[int] = set()
    work = [w.cfg.owner[start]]
    while work:
        number = work.pop()
        if number in seen:
            continue
        seen.add(number)
        for op in w.cfg.ops[w.cfg.starts[number] : w.cfg.ends[number]]:
            if op is None:
                continue
            if op.name == "call_helper":
                helper = helpers.by_id(op.imm)
                if helper is None or helper.moves_packet:
                    return True
            if op.name in ("call_local", "lddw_func"):
                work.append(w.cfg.owner[op.target])
    return False
