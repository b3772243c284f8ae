"""The ends of functions and programs: what they may return and must have given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.hooks.numbers import PROG_TYPES
from ebee.verifier.core import leaks, locks, prune
from ebee.verifier.core import reg as R
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import E2BIG, EFAULT, EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.reg import Reg

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

RESULT = {"sk_lookup": (0, 1), "netfilter": (0, 1), "iter": (0, 1), "fentry": (0, 0),
          "fexit": (0, 0), "kprobe.session": (0, 1), "uprobe.session": (0, 1)}  # fmt: skip
"""Bounds of results beside those that hooks declare."""

MAX_DEPTH = 512
MAX_FRAMES = 8
PRIVATE_FROM = 64  # BPF_PRIV_STACK_MIN_SIZE
_PRIVATE_STACK = frozenset(
    PROG_TYPES[name] for name in ("kprobe", "tracepoint", "perf_event", "raw_tracepoint", "tracing")
)


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
    elif frame.start not in (0, w.program.catches):
        _global_result(w)
    else:
        _program_result(w)
    return -1


def _async_result(w: Walk) -> None:
    """Callbacks that run later return 0."""
    r0 = w.read(0)
    where = "At async callback return"
    _check_leak(w, r0, 0)
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
    _check_leak(w, reg, regno)
    if reg.type != R.SCALAR:
        name = R.type_name(reg.type)
        text = f"At subprogram exit the register R{regno} is not a scalar value ({name})"
        raise Rejected("bad-result", text, "", EINVAL)


MAX_ERRNO = 4095
_BOOLEAN_HOOKS = frozenset((
    "bpf_lsm_audit_rule_known", "bpf_lsm_inode_xattr_skipcap", "bpf_lsm_xfrm_state_pol_flow_match",
))  # fmt: skip


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
    _check_leak(w, reg, regno)
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


def _check_leak(w: Walk, reg: Reg, regno: int) -> None:
    if not w.perfmon:
        leaks.check_result(reg, regno)


def check_stack_depth(w: Walk) -> None:
    """All frames that may be there at once fit 512 bytes (check_max_stack_depth). What runs later
    has a stack of its own; what it shares with the program has no private one."""
    depths = _Depths(w)
    for function in sorted(w.run_later, reverse=True):
        depths.descend(function, 0, ())
    depths.private = _has_private_stacks(w, bool(depths.tails))
    depths.descend(0, 0, ())


def _has_private_stacks(w: Walk, tails: bool) -> bool:
    """Whether frames of 64 bytes and more are put elsewhere, each with a limit of its own, in
    programs that are not entered again while they run (bpf_enable_priv_stack)."""
    hook = w.program.hook
    private = hook.prog_type in _PRIVATE_STACK and hook.name != "iter"
    return w.profile.private_stacks and private and not tails


def check_taken(w: Walk) -> None:
    """Code that control never comes to is removed. Where the address of a whole function that is
    gone was taken, what comes after it takes its place; where nothing does, the program cannot be
    compiled, unless it is one function altogether (jit_subprogs)."""
    own_handler = w.throws and not w.program.exception_callback
    alone = len(w.entered) + own_handler == 1
    gone = [number for number in w.taken - w.entered if number > max(w.entered)]
    if gone and not alone:
        text = "verifier bug: No program to jit"
        why = f"the address of function {gone[0]} is taken, but it is never called"
        raise Rejected("unreachable", text, why, EFAULT)


class _Depths:
    """Descents into all functions that one calls."""

    def __init__(self, w: Walk):
        self.w, self.private = w, False
        self.shared: set[int] = set()  # functions that were seen without private stacks
        ops = [op for op in w.cfg.ops if op is not None]
        owner = w.cfg.owner
        taken = {owner[op.target] for op in ops if op.name == "lddw_func"}
        self.called_back = taken | w.run_later
        self.tails = {owner[op.slot] for op in ops if op.name == "call_helper" and op.imm == 12}

    def descend(self, function: int, depth: int, chain: tuple[int, ...]) -> None:
        w = self.w
        if chain and function in self.tails and depth >= 256:
            text = "tail_calls are not allowed when call stack of previous frames is"
            raise Rejected("stack-depth", f"{text} {depth} bytes. Too large")
        saved, own = w.saved.get(function), w.depths.get(function, 0)
        if saved is not None and saved.depth is not None:
            own = saved.depth
        own = (own + 15) // 16 * 16
        if not self.private:
            self.shared.add(function)
        if own >= PRIVATE_FROM and function not in self.shared:
            if own > MAX_DEPTH:
                text = f"stack size of subprog {function} is {own}. Too large"
                raise Rejected("stack-depth", text)
        else:
            depth += own
        if depth > MAX_DEPTH:
            text = f"combined stack size of {len(chain) + 1} calls is {depth}. Too large"
            raise Rejected("stack-depth", text)
        here = (*chain, function)
        for slot in range(w.cfg.starts[function], w.cfg.ends[function]):
            op = w.cfg.ops[slot]
            if op is None:
                continue
            if op.name == "call_kfunc" and w.kfunc_name(op) == "bpf_throw":
                if self.called_back.intersection(here):
                    text = f"bpf_throw kfunc (insn {slot}) cannot be called from callback"
                    raise Rejected("exception", f"{text} subprog {function}", "", EINVAL)
            elif op.name in ("call_local", "lddw_func"):
                self._call(op, depth, here)

    def _call(self, op: Op, depth: int, chain: tuple[int, ...]) -> None:
        callee = self.w.cfg.owner[op.target]
        if callee in self.w.run_later:
            if op.name == "lddw_func":
                return
            if op.target == self.w.program.catches:
                text = f"insn {op.slot} cannot call exception cb directly"
                raise Rejected("exception", text, "", EINVAL)
        if len(chain) >= MAX_FRAMES:
            text = f"the call stack of {len(chain)} frames is too deep !"
            raise Rejected("call-depth", text, "", E2BIG)
        self.descend(callee, depth, chain)
