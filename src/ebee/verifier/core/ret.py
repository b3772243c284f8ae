"""The ends of functions and programs: what they may return and must have given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import locks, prune
from ebee.verifier.core import reg as R
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import E2BIG, EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.reg import Reg

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

RESULT = {"sk_lookup": (0, 1), "netfilter": (0, 1), "iter": (0, 1), "fentry": (0, 0),
          "fexit": (0, 0), "kprobe.session": (0, 1), "uprobe.session": (0, 1)}  # fmt: skip
"""Bounds of results beside those that hooks declare."""

MAX_DEPTH = 512
MAX_FRAMES = 8
_PRIVATE_STACK = frozenset(("kprobe", "tracepoint", "perf_event", "raw_tracepoint", "fentry",
                            "fexit", "tp_btf", "lsm", "struct_ops", "uprobe"))  # fmt: skip


def step(w: Walk, op: Op) -> int:
    """An exit: of a callback or subprogram back to its caller, or of the program."""
    w.jumps += 1
    state = w.state
    main = len(state.frames) == 1
    locks.check_leaks(w, "BPF_EXIT instruction in main prog", main)
    if not main:
        return leave(w)
    frame = state.frame
    if frame.callback:
        _async_result(w)
    elif frame.start != 0:
        _global_result(w)
    else:
        _program_result(w)
    return -1


def _async_result(w: Walk) -> None:
    """Callbacks that run later return 0."""
    r0 = w.read(0)
    where = "At async callback return"
    if r0.type != R.SCALAR:
        name = R.type_name(r0.type)
        text = f"{where} the register R0 is not a known value ({name})"
        raise Rejected("bad-result", text, "", EINVAL)
    w.precise(0)
    if not within(r0, 0, 0):
        raise _outside(r0, 0, 0, where)


def leave(w: Walk) -> int:
    """Return to the caller; the slot where it goes on (prepare_func_exit)."""
    state = w.state
    callee, caller = state.frames[-1], state.frames[-2]
    r0 = callee.regs[0]
    if r0.type == R.STACK:
        text = "cannot return stack pointer to the caller"
        raise Rejected("stack-escapes", text, "", EINVAL)
    if not callee.callback:
        caller.regs[0] = r0
        state.frames.pop()
        return callee.callsite + 1
    if r0.type != R.SCALAR:
        raise Rejected("bad-result", "R0 not a scalar value")
    w.precise(0)
    low, high = callee.result
    if not within(r0, low, high):
        raise _outside(r0, low, high, "At callback return")
    state.frames.pop()
    state.idx = callee.callsite
    before = w.memory.previous_entry(state, callee.callsite)
    if before is not None:
        prune.widen(before, state)
    return callee.callsite


def within(reg: Reg, low: int, high: int) -> bool:
    """Whether a result is inside bounds, as 64-bit and signed numbers."""
    return low <= reg.smin and reg.smax <= high


def _outside(reg: Reg, low: int, high: int, where: str, regno: int = 0) -> Rejected:
    text = f"{where} the register R{regno} has"
    if reg.smin > R.S64_MIN:
        text += f" smin={reg.smin}"
    if reg.smax < R.S64_MAX:
        text += f" smax={reg.smax}"
    if reg.smin == R.S64_MIN and reg.smax == R.S64_MAX:
        text += " unknown scalar value"
    text += f" should have been in [{low}, {high}]"
    why = f"[{reg.smin}, {reg.smax}] is not inside [{low}, {high}]"
    return Rejected("bad-result", text, why, EINVAL)


def check_thrown(w: Walk) -> None:
    """What an exception carries is the program's result."""
    if w.state.frames[0].start != 0:
        _global_result(w, 1)
    else:
        _program_result(w, 1)


def _global_result(w: Walk, regno: int = 0) -> None:
    reg = w.read(regno)
    if reg.type != R.SCALAR:
        name = R.type_name(reg.type)
        text = f"At subprogram exit the register R{regno} is not a scalar value ({name})"
        raise Rejected("bad-result", text, "", EINVAL)


MAX_ERRNO = 4095
_BOOLEAN_HOOKS = frozenset(("bpf_lsm_audit_rule_known", "bpf_lsm_inode_xattr_skipcap"))


def bounds(w: Walk) -> tuple[int, int] | None:
    """The results that the hook takes, if not all."""
    program = w.program
    hook, target = program.hook, program.target
    if hook.name == "lsm" and target is not None:
        return (0, 1) if target.name in _BOOLEAN_HOOKS else (-MAX_ERRNO, 0)
    if hook.name == "lsm_cgroup":
        return (1, 1) if returns_nothing(w) else (0, 1)
    if hook.name in ("lsm", "freplace"):
        raise DoesNotKnow(f"what {hook.name} programs may return")
    found = hook.result_at.get(program.attach_type) or hook.result
    return found if found is not None else RESULT.get(hook.name)


def returns_nothing(w: Walk) -> bool:
    """Whether what the program stands for has no result."""
    target = w.program.target
    return target is not None and target.proto is not None and not target.proto.type


def _program_result(w: Walk, regno: int = 0) -> None:
    hook = w.program.hook.name
    if hook in ("lsm", "struct_ops") and returns_nothing(w):
        return
    reg = w.read(regno)
    limits = bounds(w)
    if limits is None:
        return
    if reg.type != R.SCALAR:
        name = R.type_name(reg.type)
        text = f"At program exit the register R{regno} is not a known value ({name})"
        raise Rejected("bad-result", text, "", EINVAL)
    w.precise(regno)
    if hook == "lsm":
        if not (limits[0] <= reg.tmin and reg.tmax <= limits[1]):
            raise _outside(reg, *limits, "At program exit", regno)
    elif not within(reg, *limits):
        raise _outside(reg, *limits, "At program exit", regno)


def check_stack_depth(w: Walk) -> None:
    """All frames that may be there at once fit 512 bytes (check_max_stack_depth)."""
    cfg = w.cfg
    calls: dict[int, list[int]] = {}
    tails: set[int] = set()
    callbacks: set[int] = set()
    throws: dict[int, int] = {}
    for slot, op in enumerate(cfg.ops):
        if op is None:
            continue
        if op.name in ("call_local", "lddw_func"):
            calls.setdefault(cfg.owner[slot], []).append(cfg.owner[op.target])
        if op.name == "lddw_func":
            callbacks.add(cfg.owner[op.target])
        if op.name == "call_helper" and op.imm == 12:
            tails.add(cfg.owner[slot])
        if op.name == "call_kfunc" and w.kfunc_name(op) == "bpf_throw":
            throws.setdefault(cfg.owner[slot], slot)

    def rounded(function: int) -> int:
        return (w.depths.get(function, 0) + 15) // 16 * 16

    def descend(function: int, depth: int, chain: tuple[int, ...]) -> None:
        if len(chain) >= MAX_FRAMES:
            text = f"the call stack of {len(chain)} frames is too deep !"
            raise Rejected("call-depth", text, "", E2BIG)
        if chain and function in tails and depth >= 256:
            text = "tail_calls are not allowed when call stack of previous frames is"
            raise Rejected("stack-depth", f"{text} {depth} bytes. Too large")
        if function in throws and callbacks.intersection((*chain, function)):
            text = f"bpf_throw kfunc (insn {throws[function]}) cannot be called from callback"
            raise Rejected("exception", f"{text} subprog {function}", "", EINVAL)
        depth += rounded(function)
        if depth > MAX_DEPTH:
            if w.program.hook.name in _PRIVATE_STACK:
                raise DoesNotKnow("private stacks")
            text = f"combined stack size of {len(chain) + 1} calls is {depth}. Too large"
            raise Rejected("stack-depth", text)
        for callee in calls.get(function, ()):
            descend(callee, depth, (*chain, function))

    descend(0, 0, ())
