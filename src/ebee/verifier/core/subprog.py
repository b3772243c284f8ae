"""Global functions: checked once, for any arguments of the types that their BTF promises
(btf_prepare_func_args, btf_check_func_arg_match)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ebee import helpers
from ebee.btf import Btf, Func, FuncProto, Int, Ptr, Void
from ebee.errors import BtfError
from ebee.hooks.numbers import PROG_TYPES
from ebee.verifier.core import args, btftype, dynptr, kfuncargs, mem, special
from ebee.verifier.core import reg as R
from ebee.verifier.core.btftype import BtfType
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.kfuncs import all_kfuncs
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.state import Frame

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

EOPNOTSUPP = 95
TAGS = frozenset(("ctx", "trusted", "untrusted", "nonnull", "nullable", "arena"))


class Argument(NamedTuple):
    """What a parameter takes: "scalar", "ctx", "mem" (of `size` bytes), "arena", "dynptr" or
    "btf", a pointer to a kernel's `type`; with flags of registers."""

    kind: str
    size: int = 0
    flags: int = 0
    type: BtfType | None = None


def arguments(w: Walk, start: int) -> list[Argument]:
    """The parameters of a global function."""
    btf = w.program.btf
    info = next((f for f in w.program.funcs if f.start == start), None)
    if btf is None or info is None or not info.btf_id:
        raise DoesNotKnow("global functions without BTF")
    function = btf.type(info.btf_id)
    if not isinstance(function, Func):
        raise DoesNotKnow("global functions without BTF")
    proto = btf.type(function.type)
    assert isinstance(proto, FuncProto)
    if len(proto.params) > 5:
        text = f"Global function {function.name}() with {len(proto.params)} > 5 args."
        raise Rejected("global-function", f"{text} Buggy compiler.", "", EINVAL)
    result = btftype.of(btf, proto.type) if proto.type else None
    if result is None or not btftype.is_scalar(result.type):
        text = f"Global function {function.name}() doesn't return scalar."
        raise Rejected("global-function", f"{text} Only those are supported.", "", EINVAL)
    found = []
    for index, param in enumerate(proto.params):
        tags = _tags(btf, info.btf_id, index)
        found.append(_argument(w, btf, param.type, index, tags, function.name))
    return found


def _tags(btf: Btf, function: int, index: int) -> frozenset[str]:
    tags = special.tags(btf, function, index)
    found = frozenset(tag.removeprefix("arg:") for tag in tags if tag.startswith("arg:"))
    if found - TAGS:
        text = f"arg#{index} has unsupported set of tags"
        raise Rejected("global-function", text, "", EOPNOTSUPP)
    return found


def _argument(
    w: Walk, btf: Btf, type_id: int, index: int, tags: frozenset[str], name: str
) -> Argument:
    found = btftype.of(btf, type_id)
    wrong = Rejected("global-function", f"arg#{index} has invalid combination of tags", "", EINVAL)
    if not isinstance(found.type, Ptr):
        if tags:
            text = f"arg#{index} has pointer tag, but is not a pointer type"
            raise Rejected("global-function", text, "", EINVAL)
        if btftype.is_scalar(found.type):
            return Argument("scalar")
        kind = btftype.kind_name(found.type)
        text = f"Arg#{index} type {kind} in {name}() is not supported yet."
        raise Rejected("global-function", text, "", EINVAL)
    to = found.type.type
    if "ctx" in tags or kfuncargs.is_context(w, btf, to):
        if tags - {"ctx"}:
            raise wrong
        if "ctx" in tags:
            _check_context(w, btf, to, index)
        return Argument("ctx")
    target = btftype.of(btf, to)
    if target.name == "bpf_dynptr" and target.composite:
        if tags:
            raise wrong
        return Argument("dynptr")
    if "trusted" in tags:
        if "nonnull" in tags:
            raise wrong
        flags = R.TRUSTED | (R.NULLABLE if "nullable" in tags else 0)
        return Argument("btf", 0, flags, _in_kernel(w, target, index))
    if "untrusted" in tags:
        if tags - {"untrusted"}:
            raise wrong
        if isinstance(target.type, Void) or btftype.is_scalar(target.type):
            return Argument("mem", 0, R.RDONLY | R.UNTRUSTED)
        return Argument("btf", 0, R.UNTRUSTED, _in_kernel(w, target, index))
    if "arena" in tags:
        if tags - {"arena"}:
            raise wrong
        return Argument("arena")
    if "nullable" in tags:
        raise wrong
    try:
        size = target.size
    except BtfError:
        kind = btftype.kind_name(target.type)
        text = f"arg#{index} reference type('{kind} {target.name}') size cannot be determined: -22"
        raise Rejected("global-function", text, "", EINVAL) from None
    return Argument("mem", size, 0 if "nonnull" in tags else R.NULLABLE)


def _in_kernel(w: Walk, local: BtfType, index: int) -> BtfType:
    """The kernel's type of the same name (btf_get_ptr_to_btf_id)."""
    from ebee.btf.match import essential

    if not local.composite:
        text = f"arg#{index} reference type('{btftype.kind_name(local.type)} {local.name}')"
        raise Rejected("global-function", f"{text} has no matches", "", EINVAL)
    return w.struct(essential(local.name))


def _check_context(w: Walk, btf: Btf, type_id: int, index: int) -> None:
    """The type behind a tag that says context (btf_validate_prog_ctx_type)."""
    hook, target = w.program.hook, btftype.of(btf, type_id)
    if isinstance(target.type, Void) or hook.prog_type in _ANY_CONTEXT:
        return
    registers = hook.prog_type in _REGISTERS
    if registers and kfuncargs.named(btf, type_id, "bpf_user_pt_regs_t"):
        return
    if not target.name:
        raise Rejected("global-function", f"arg#{index} type doesn't have a name", "", EINVAL)
    number = isinstance(target.type, Int) and target.type.size == 8
    allowed = {"iter": "bpf_iter__", "tp_btf": "bpf_raw_tracepoint_args"}.get(hook.name, "pt_regs")
    if target.composite and (registers or hook.name in ("iter", "tp_btf")):
        if target.name == allowed or (hook.name == "iter" and target.name.startswith(allowed)):
            return
    elif number and hook.prog_type in _NUMBERS and hook.name != "iter":
        return
    mine = kfuncargs.context_types(w)[0]
    if mine is None:
        raise DoesNotKnow("the type of the context")
    if not mine.composite:
        raise Rejected("global-function", f"arg#{index} should be void pointer", "", EINVAL)
    if not target.composite or target.name != mine.name:
        text = f"arg#{index} should be `struct {mine.name} *`"
        raise Rejected("global-function", text, "", EINVAL)


def _types(*names: str) -> frozenset[int]:
    return frozenset(PROG_TYPES[name] for name in names)


_ANY_CONTEXT = _types("tracepoint", "syscall", "ext")
_REGISTERS = _types("kprobe", "perf_event")
_NUMBERS = _types("raw_tracepoint", "raw_tracepoint_writable", "tracing", "lsm", "struct_ops")
"""Types of programs by what their contexts may be called: anything, registers, numbers."""


# --- calls ---------------------------------------------------------------------------------------


def check_arguments(w: Walk, start: int) -> None:
    """A call passes what the function promises to take."""
    for index, wanted in enumerate(arguments(w, start)):
        try:
            plain = wanted.kind == "scalar"
            reg = w.regs[index + 1] if plain else w.read(index + 1)
            _check_one(w, index, reg, wanted)
        except Rejected as error:
            number = w.cfg.owner[start]
            name = next((f.name for f in w.program.funcs if f.start == start), "")
            more = f"Caller passes invalid args into func#{number} ('{name}')"
            text = f"{error.message}\n{more}"
            raise Rejected(error.id, text, error.detail, EINVAL) from None


def _check_one(w: Walk, index: int, reg: Reg, wanted: Argument) -> None:
    regno, kind = index + 1, wanted.kind

    def unfit(text: str) -> Rejected:
        return Rejected("argument-type", text, "", EINVAL)

    if wanted.flags & R.UNTRUSTED:
        return
    if kind == "scalar":
        if reg.type != R.SCALAR:
            raise unfit(f"R{regno} is not a scalar")
    elif kind == "ctx":
        if reg.type & R.BASE in (R.CTX, *R.SOCKETS, R.MAP):
            mem.check_fixed(reg, regno)
        if reg.type != R.CTX:
            raise unfit(f"arg#{index} expects pointer to ctx")
    elif kind == "mem":
        kfuncargs.check_both(w, reg, regno, wanted.size)
        if not wanted.flags & R.NULLABLE and reg.type & R.NULLABLE:
            raise unfit(f"arg#{index} is expected to be non-NULL")
    elif kind == "arena":
        if reg.type not in (R.ARENA, R.SCALAR):
            raise unfit(f"R{regno} is not a pointer to arena or scalar.")
    elif kind == "dynptr":
        if reg.type == R.DYNPTR:
            mem.check_fixed(reg, regno)
        dynptr.check(w, regno, "", False, True)
    elif not (reg.is_null and wanted.flags & R.NULLABLE):
        assert wanted.type is not None
        args.check_kernel_pointer(w, reg, regno, wanted.type, bool(wanted.flags & R.NULLABLE))


def check_regions(w: Walk, start: int) -> None:
    """Where a global function may not be called."""
    state = w.state
    if state.locks:
        text = "global function calls are not allowed while holding a lock,\n"
        raise Rejected("lock-held", f"{text}use static function instead", "", EINVAL)
    if state.preempt and not w.profile.globals_in_regions:
        text = "global function calls are not allowed with preemption disabled,\n"
        raise Rejected("preempt", f"{text}use static function instead", "", EINVAL)
    if (state.rcu or state.preempt or state.irq or not w.sleepable) and may_sleep(w, start):
        text = "global functions that may sleep are not allowed in non-sleepable context,\n"
        text += "i.e., in a RCU/IRQ/preempt-disabled section, or in\n"
        raise Rejected("may-sleep", text + "a non-sleepable BPF program context", "", EINVAL)


def global_frame(w: Walk, start: int) -> Frame:
    """The state in which a global function is checked."""
    frame = Frame(0, w.cfg.owner[start], start, -1)
    taken = arguments(w, start)
    if start == w.program.catches and [each.kind for each in taken] != ["scalar"]:
        text = "exception cb only supports single integer argument"
        raise Rejected("exception", text, "", EINVAL)
    for index, wanted in enumerate(taken):
        frame.regs[index + 1] = _given(w, wanted)
    return frame


def _given(w: Walk, wanted: Argument) -> Reg:
    kind = wanted.kind
    if kind in ("scalar", "arena"):
        return R.UNKNOWN
    if kind == "ctx":
        return R.pointer(R.CTX)
    if kind == "dynptr":
        made = R.pointer(R.DYNPTR)
        made.range, made.frame, made.id = dynptr.KINDS.index("local"), 1, w.new_id()
        return made
    made = R.pointer((R.MEM if kind == "mem" else R.BTF) | wanted.flags)
    made.range, made.btf = wanted.size, wanted.type
    if made.type & R.NULLABLE:
        made.id = w.new_id()
    return made


# --- what a function does anywhere ---------------------------------------------------------------


def moves_packet(w: Walk, start: int) -> bool:
    """Whether a function, or one that it calls, may move the packet."""

    def moves(op: Op) -> bool:
        if op.name == "call_helper":
            helper = helpers.by_id(op.imm)
            return helper is None or helper.moves_packet
        return op.name == "call_kfunc" and w.kfunc_name(op) == "bpf_xdp_pull_data"

    return _anywhere(w, start, moves)


def may_sleep(w: Walk, start: int) -> bool:
    """Whether a function, or one that it calls, may sleep."""

    def sleeps(op: Op) -> bool:
        if op.name == "call_helper":
            helper = helpers.by_id(op.imm)
            return helper is not None and helper.sleeps
        if op.name != "call_kfunc":
            return False
        found = all_kfuncs().get(w.kfunc_name(op))
        return found is not None and "sleepable" in found.flags

    return _anywhere(w, start, sleeps)


def _anywhere(w: Walk, start: int, which: Callable[[Op], bool]) -> bool:
    """Whether a function, or one that it calls, has such an instruction."""
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
            if which(op):
                return True
            if op.name in ("call_local", "lddw_func"):
                work.append(w.cfg.owner[op.target])
    return False


def check_results(program_btf: Btf | None, w: Walk) -> None:
    """Functions with packet loads or tail calls, which may end them at once, return a number
    (check_abnormal_return, check_btf_func)."""
    for number, start in enumerate(w.cfg.starts[1:], 1):
        ops = [op for op in w.cfg.ops[start : w.cfg.ends[number]] if op is not None]
        packet = any(op.kind == "packet" for op in ops)
        tail = any(op.name == "call_helper" and op.imm == 12 for op in ops)
        if not packet and not tail:
            continue
        what = "LD_ABS" if packet else "tail_call"
        info = next((f for f in w.program.funcs if f.start == start), None)
        if program_btf is None or info is None or not info.btf_id:
            text = f"{what} is not allowed in subprogs without BTF"
            raise Rejected("abnormal-return", text, "", EINVAL)
        proto = btftype.prototype(program_btf, info.btf_id)
        result = btftype.of(program_btf, proto.type) if proto and proto.type else None
        if result is None or not btftype.is_scalar(result.type):
            text = f"{what} is only allowed in functions that return 'int'."
            raise Rejected("abnormal-return", text, "", EINVAL)
