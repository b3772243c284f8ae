"""Which scalars a path depended on: back along the path, from the instruction that needed a value.

Until something depends on it, a scalar may differ between states that are taken to be the same.
When a register's value mattered, it is marked precise in the remembered states of its path, and so
is all that it was computed from (kernel/bpf/verifier.c: mark_chain_precision, backtrack_insn).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core.code import Op
from ebee.verifier.core.equal import bits
from ebee.verifier.core.errors import EFAULT, Rejected
from ebee.verifier.core.log import Log, instruction, mask_text
from ebee.verifier.core.log import state_text as log_state
from ebee.verifier.core.reg import SCALAR
from ebee.verifier.core.state import Jump, State, spilled_scalar

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

ARGUMENTS = 0b11_1110
FETCHING = frozenset(("fetch_add", "fetch_or", "fetch_and", "fetch_xor", "xchg", "cmpxchg"))


class Unsupported(Exception):
    """Values were mixed with pointers: all scalars of the path must be precise."""


_NONE = [0] * 9


class Wanted:
    """Registers and slots whose precision is wanted, as masks by frame."""

    __slots__ = ("frame", "regs", "slots")

    def __init__(self, frame: int):
        self.frame = frame
        self.regs, self.slots = [0] * 9, [0] * 9

    def empty(self) -> bool:
        return self.regs == _NONE and self.slots == _NONE

    def known(self, jump: Jump) -> bool:
        """Whether all of this was wanted at an entry of the history before, and so is marked in all
        states from which it comes; notes that it is. (Not where other frames want something.)"""
        regs, slots = self.regs[self.frame], self.slots[self.frame]
        if self.regs.count(0) != 8 + (not regs) or self.slots.count(0) != 8 + (not slots):
            return False
        if not regs & ~jump.regs and not slots & ~jump.slots:
            return True
        jump.regs |= regs
        jump.slots |= slots
        return False

    def sync(self, jump: Jump) -> None:
        """Of registers that share an id and gained a range together, all are wanted or none."""
        masks = (self.regs, self.slots)
        if any(masks[slot][frame] >> number & 1 for frame, number, slot in jump.linked):
            for frame, number, slot in jump.linked:
                masks[slot][frame] |= 1 << number


def mark(w: Walk, regno: int) -> None:
    """The current instruction depends on the value of a register."""
    state = w.state
    wanted = Wanted(len(state.frames) - 1)
    wanted.regs[wanted.frame] = 1 << regno
    _mark(w, state, wanted, True)


def mark_slot(w: Walk, frame: int, slot: int) -> None:
    """The current instruction depends on the value of a scalar on the stack."""
    wanted = Wanted(len(w.state.frames) - 1)
    wanted.slots[frame] = 1 << slot
    _mark(w, w.state, wanted, True)


def propagate(w: Walk, old: State, current: State) -> bool:
    """`current` equals `old`: it depends on what `old` was found to depend on. Whether anything
    new was marked."""
    wanted = Wanted(len(old.frames) - 1)
    for depth, frame in enumerate(old.frames):
        for i in range(10):
            if frame.precise >> i & 1 and frame.regs[i].type == SCALAR:
                wanted.regs[depth] |= 1 << i
        for i, slot in enumerate(frame.slots if frame.sprecise else ()):
            if frame.sprecise >> i & 1 and spilled_scalar(slot):
                wanted.slots[depth] |= 1 << i
    return _mark(w, current, wanted, False)


def _mark(w: Walk, start: State, wanted: Wanted, skip: bool) -> bool:
    if wanted.empty() or not w.capable:
        return False
    state, last, first, after, changed = start, start.idx, start.first, -1, False
    log = w.log if w.log is not None and w.log.level > 1 else None
    while True:
        if log is not None:
            log.add(f"mark_precise: frame{wanted.frame}: last_idx {last} first_idx {first}"
                    f" subseq_idx {after} \n")  # fmt: skip
        try:
            if _along(w, state, wanted, last, first, after, skip):
                return changed
        except Unsupported:
            return mark_all(start) or changed
        skip = False
        parent = state.parent
        if parent is None:
            break
        state = parent
        depth = wanted.frame
        changed |= _mark_state(state, wanted)
        for frame in range(depth, -1, -1) if log is not None else ():
            assert log is not None
            if frame < len(state.frames):
                log.add(f"mark_precise: frame{frame}: parent state {_masks(wanted, frame)}: "
                        f"{log_state(state, frame)}\n")  # fmt: skip
        if wanted.empty():
            return changed
        after, last, first = first, state.last, state.first
    if any(wanted.regs) or any(wanted.slots):
        changed |= mark_all(start)
    return changed


def _along(
    w: Walk, state: State, wanted: Wanted, last: int, first: int, after: int, skip: bool
) -> bool:
    """Back from `last` to where `state` was remembered; whether nothing is wanted any more."""
    history, traces, i = state.history, w.cfg.traces, last
    slots, mine = wanted.slots, wanted.regs[wanted.frame]
    logged = w.log is not None and w.log.level > 1
    while True:
        here = history if history is not None and history.idx == i else None
        if skip:
            skip = False
        elif (
            (trace := traces[i]) < 0
            or mine & trace
            or (
                here is not None
                and (
                    here.linked
                    or ((access := here.access) is not None and slots[access[0]] >> access[1] & 1)
                )
            )
            or logged
        ):
            backtrack(w, i, after, here, wanted)
            mine = wanted.regs[wanted.frame]
            if not mine and wanted.empty():
                return True
        after = i
        if here is None:
            if i == first and history is None:
                return False
            i -= 1
        else:
            if not logged and wanted.known(here):
                return True
            history = here.before
            if i == first and history is None:
                return False
            i = here.previous
        if i < 0:
            return False


def _mark_state(state: State, wanted: Wanted) -> bool:
    """Mark what is wanted in a remembered state; what is no scalar, or marked, is not wanted."""
    changed = False
    for depth in range(min(wanted.frame + 1, len(state.frames))):
        frame = state.frames[depth]
        mask = wanted.regs[depth]
        for i in bits(mask):
            if frame.regs[i].type != SCALAR or frame.precise >> i & 1:
                wanted.regs[depth] &= ~(1 << i)
            else:
                frame.precise |= 1 << i
                changed = True
        mask = wanted.slots[depth]
        for i in range(64) if mask else ():
            if mask >> i & 1:
                known = i < len(frame.slots) and spilled_scalar(frame.slots[i])
                if not known or frame.sprecise >> i & 1:
                    wanted.slots[depth] &= ~(1 << i)
                else:
                    frame.sprecise |= 1 << i
                    changed = True
    return changed


def mark_all(start: State) -> bool:
    """All scalars of the path are precise: what else cannot be told."""
    state, changed = start.parent, False
    while state is not None and not state.all_precise:
        state.all_precise = True
        for frame in state.frames:
            regs = slots = 0
            for i in range(10):
                if frame.regs[i].type == SCALAR:
                    regs |= 1 << i
            for i, slot in enumerate(frame.slots):
                if spilled_scalar(slot):
                    slots |= 1 << i
            if regs & ~frame.precise or slots & ~frame.sprecise:
                changed = True
            frame.precise |= regs
            frame.sprecise |= slots
        state = state.parent
    return changed


def backtrack(w: Walk, idx: int, after: int, jump: Jump | None, b: Wanted) -> None:
    """From what is wanted after an instruction to what is wanted before it."""
    op = w.cfg.ops[idx]
    if op is None:
        return
    if w.log is not None and w.log.level > 1:
        say(w, w.log, op, b)
    if jump is not None and jump.linked:
        b.sync(jump)
    f, dst, src = b.frame, 1 << op.dst, 1 << op.src
    kind, operation = op.kind, op.operation
    if kind == "alu":
        if not b.regs[f] & dst:
            return
        if operation == "mov" or operation.startswith("movsx") or operation == "addr_space_cast":
            b.regs[f] &= ~dst
        if op.reg and op.src != 10:
            b.regs[f] |= src
    elif kind == "load" or operation == "load_acquire":
        if not b.regs[f] & dst:
            return
        b.regs[f] &= ~dst
        if jump is not None and jump.access is not None:
            b.slots[jump.access[0]] |= 1 << jump.access[1]
    elif kind in ("store", "atomic"):
        _store(op, jump, b)
    elif kind == "call":
        _call(w, idx, after, b)
    elif kind == "exit":
        _exit(w, after, b)
        return
    elif kind == "jump":
        if op.reg and b.regs[f] & (dst | src):
            if jump is None or not jump.src_stack:
                b.regs[f] |= src
            if jump is None or not jump.dst_stack:
                b.regs[f] |= dst
    elif kind == "imm64":
        b.regs[f] &= ~dst
        return
    elif kind == "packet":
        if b.regs[f] & 1:
            raise Unsupported
        if after != idx + 1:
            b.frame += 1
        return
    if jump is not None and jump.linked:
        b.sync(jump)


def say(w: Walk, log: Log, op: Op, b: Wanted) -> None:
    """The line of the log for one step back."""
    text = f"mark_precise: frame{b.frame}: {_masks(b, b.frame)} before {op.slot}: "
    log.add(f"{text}{instruction(w, op)}\n")


def _masks(b: Wanted, frame: int) -> str:
    regs = mask_text(b.regs[frame], "r{}")
    return f"regs={regs} stack={mask_text(b.slots[frame], '{}', -8, -8)}"


def _store(op: Op, jump: Jump | None, b: Wanted) -> None:
    """Back over a store, or over an atomic operation: Linux takes those that fetch for stores, so
    that their register goes on to be wanted; what it got is wanted, too."""
    f, src = b.frame, 1 << op.src
    if b.regs[f] >> op.dst & 1:
        raise Unsupported
    if jump is None or jump.access is None:
        return
    frame, slot = jump.access
    wanted = b.slots[frame] >> slot & 1
    if op.operation in FETCHING:
        if wanted:
            b.regs[f] |= src
        elif b.regs[f] & (1 if op.operation == "cmpxchg" else src):
            b.slots[frame] |= 1 << slot
    elif wanted:
        b.slots[frame] &= ~(1 << slot)
        if op.reg:
            b.regs[f] |= src


def _call(w: Walk, idx: int, after: int, b: Wanted) -> None:
    op = w.cfg.ops[idx]
    assert op is not None
    f = b.frame
    if op.name == "call_local":
        if w.is_global(op.target):
            b.regs[f] &= ~1
            return
        if b.regs[f] & ~ARGUMENTS or b.slots[f] or not f:
            raise Unsupported
        b.regs[f - 1] |= b.regs[f]
        b.regs[f] = 0
        b.frame -= 1
    elif idx in w.cfg.callbacks and idx != after - 1:
        if b.regs[f] & ~ARGUMENTS or b.slots[f] or not f:
            raise Unsupported
        b.regs[f] = 0
        b.frame -= 1
    else:
        b.regs[f] &= ~1
        if regs := b.regs[f] & ARGUMENTS:
            if after in (-1, idx + 1):
                raise Unsupported
            # Back from what the call leaves for later: its arguments come from nowhere.
            text = f"verifier bug: backtracking call unexpected regs {regs:x}"
            raise Rejected("precision", text, errno=EFAULT)


def _exit(w: Walk, after: int, b: Wanted) -> None:
    """Back into a function that has returned: `after` follows its call, or is the call of a
    helper that called it back."""
    before = w.cfg.ops[after - 1] if after > 0 else None
    called = before is not None and before.name == "call_local"
    f = b.frame
    wanted = called and b.regs[f] & 1
    if called and b.regs[f] & ARGUMENTS:
        raise Unsupported
    b.regs[f] &= ~1
    b.frame += 1
    if b.frame > 8:
        raise Unsupported
    b.regs[b.frame] = 1 if wanted else 0
    b.slots[b.frame] = 0
