"""The ends of functions and programs: what they may return and must have given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import prune
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
    check_references(w, "BPF_EXIT")
    state = w.state
    if len(state.frames) > 1:
        return leave(w)
    frame = state.frame
    if frame.start != 0:
        _global_result(w)
    else:
        _program_result(w)
    return -1


def check_references(w: Walk, where: str) -> None:
    """What was acquired must have been given back (check_resource_leak)."""
    state = w.state
    if len(state.frames) > 1 and not state.frame.callback:
        return
    if len(state.frames) > 1:
        return
    if state.locks:
        raise Rejected("lock-held", f"{where} cannot be used inside bpf_spin_lock-ed region")
    for number, slot in state.refs:
        text = f"Unreleased reference id={number} alloc_insn={slot}"
        raise Rejected("reference-leak", text, "", EINVAL)


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
    if not within(r0, 0, 1):
        raise _outside(r0, 0, 1, "At callback return")
    state.frames.pop()
    state.idx = callee.callsite
    before = w.memory.previous_entry(state, callee.callsite)
    if before is not None:
        prune.widen(before, state)
    return callee.callsite


def within(reg: Reg, low: int, high: int) -> bool:
    """Whether a result is inside bounds, as 64-bit and signed numbers."""
    return low <= reg.smin and reg.smax <= high


def _outside(reg: Reg, low: int, high: int, where: str, detail: str = "") -> Rejected:
    text = f"{where} the register R0 has"
    if reg.smin > R.S64_MIN:
        text += f" smin={reg.smin}"
    if reg.smax < R.S64_MAX:
        text += f" smax={reg.smax}"
    if reg.smin == R.S64_MIN and reg.smax == R.S64_MAX:
        text += " unknown scalar value"
    text += f" should have been in [{low}, {high}]"
    why = f"[{reg.smin}, {reg.smax}] is not inside [{low}, {high}]"
    return Rejected("bad-result", text, detail or why, EINVAL)


def _global_result(w: Walk) -> None:
    r0 = w.read(0)
    if r0.type != R.SCALAR:
        name = R.type_name(r0.type)
        text = f"At subprogram exit the register R0 is not a scalar value ({name})"
        raise Rejected("bad-result", text, "", EINVAL)


def bounds(w: Walk) -> tuple[int, int] | None:
    """The results that the hook takes, if not all."""
    program = w.program
    hook = program.hook
    found = hook.result_at.get(program.attach_type) or hook.result
    if found is not None:
        return found
    if hook.name in ("lsm", "lsm_cgroup", "struct_ops"):
        raise DoesNotKnow(f"what {hook.name} programs may return")
    return RESULT.get(hook.name)


def _program_result(w: Walk) -> None:
    r0 = w.read(0)
    limits = bounds(w)
    if limits is None:
        return
    if r0.type != R.SCALAR:
        name = R.type_name(r0.type)
        text = f"At program exit the register R0 is not a known value ({name})"
        raise Rejected("bad-result", text, "", EINVAL)
    w.precise(0)
    if not within(r0, *limits):
        raise _outside(r0, *limits, "At program exit")


def check_stack_depth(w: Walk) -> None:
    """All frames that may be there at once fit 512 bytes (check_max_stack_depth)."""
    cfg = w.cfg
    calls: dict[int, list[int]] = {}
    tails: set[int] = set()
    for slot, op in enumerate(cfg.ops):
        if op is None:
            continue
        if op.name in ("call_local", "lddw_func"):
            calls.setdefault(cfg.owner[slot], []).append(cfg.owner[op.target])
        if op.name == "call_helper" and op.imm == 12:
            tails.add(cfg.owner[slot])

    def rounded(function: int) -> int:
        return (w.depths.get(function, 0) + 15) // 16 * 16

    def descend(function: int, depth: int, chain: tuple[int, ...]) -> None:
        if len(chain) >= MAX_FRAMES:
            text = f"the call stack of {len(chain)} frames is too deep !"
            raise Rejected("call-depth", text, "", E2BIG)
        if chain and function in tails and depth >= 256:
            text = "tail_calls are not allowed when call stack of previous frames is"
            raise Rejected("stack-depth", f"{text} {depth} bytes. Too large")
        depth += rounded(function)
        if depth > MAX_DEPTH:
            if w.program.hook.name in _PRIVATE_STACK:
                raise DoesNotKnow("private stacks")
            text = f"combined stack size of {len(chain) + 1} calls is {depth}. Too large"
            raise Rejected("stack-depth", text)
        for callee in calls.get(function, ()):
            descend(callee, depth, (*chain, function))

    descend(0, 0, ())
