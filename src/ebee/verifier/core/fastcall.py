"""Calls that clobber fewer registers than calls do: what compilers save around them is removed, and
the stack is smaller (mark_fastcall_pattern_for_call, remove_fastcall_spills_fills; since 6.12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ebee import helpers
from ebee.isa import Insn

if TYPE_CHECKING:
    from ebee.verifier.core.cfg import Cfg
    from ebee.verifier.core.code import Op

FAST_HELPERS = frozenset(("get_smp_processor_id",))
"""Helpers that x86-64 has as instructions."""

FAST_KFUNCS = frozenset(("bpf_cast_to_kern_ctx", "bpf_rdonly_cast"))
_STORE, _LOAD, _SAVED, FP = 0x7B, 0x79, 0x3F, 10


@dataclass(slots=True)
class Patterns:
    """What one function saves around its calls, in the lowest slots of its stack.

    `top`: the offset where these slots end; `slots`: instructions that save and
    restore; `removed`: some of them are; `kept`: some are not.
    """

    top: int = 0
    slots: set[int] = field(default_factory=set)
    removed: bool = False
    kept: bool = False

    @property
    def depth(self) -> int | None:
        """The stack that is left; None: all of it."""
        return -self.top if self.removed and not self.kept else None


def patterns(cfg: Cfg) -> dict[int, Patterns]:
    """The functions that save registers around such calls."""
    found = {}
    for number, (start, end) in enumerate(zip(cfg.starts, cfg.ends, strict=True)):
        code = cfg.insns[start:end]
        low = min((i.off for i in code if i.op == _STORE and i.dst == FP), default=0)
        made = Patterns()
        for op in cfg.ops[start:end] if low < 0 else ():
            if op is not None and op.name in ("call_helper", "call_kfunc"):
                _around(cfg, op, low, made)
        if made.slots:
            found[number] = made
    return found


def _around(cfg: Cfg, op: Op, off: int, made: Patterns) -> None:
    """The pairs of instructions around one call."""
    clobbered, fast = _clobbered(cfg, op)
    wanted, insns, pairs = _SAVED & ~clobbered, cfg.insns, 0
    while pairs < 6 and op.slot - pairs > 0 and op.slot + pairs + 1 < len(insns):
        before, after = insns[op.slot - pairs - 1], insns[op.slot + pairs + 1]
        if not _pair(before, after, off) or not wanted >> before.src & 1:
            break
        wanted &= ~(1 << before.src)
        pairs, off = pairs + 1, off + 8
        made.slots |= {op.slot - pairs, op.slot + pairs}
    if pairs:
        made.removed |= fast
        made.kept |= not fast
        made.top = min(made.top, off)


def _pair(store: Insn, load: Insn, off: int) -> bool:
    return (
        (store.op, store.dst, store.off) == (_STORE, FP, off)
        and (load.op, load.src, load.off) == (_LOAD, FP, off)
        and store.src == load.dst
    )  # fmt: skip


def _clobbered(cfg: Cfg, op: Op) -> tuple[int, bool]:
    """The registers that a call changes if it is such a one, and whether it is; all if it is not
    known."""
    if op.name == "call_helper":
        helper = helpers.by_id(op.imm)
        if helper is None:
            return -1, False
        params, result = helper.at(cfg.hook)
        nothing, fast = result.kind == "void", helper.name in FAST_HELPERS
        count = len(params)
    else:
        if op.slot not in cfg.kfuncs:
            return -1, False
        name, proto = cfg.kfuncs[op.slot]
        count, fast, nothing = len(proto.params), name in FAST_KFUNCS, not proto.type
    return (2 << count) - (2 if nothing else 1), fast
