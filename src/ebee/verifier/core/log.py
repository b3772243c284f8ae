"""The log in the kernel's format (kernel/bpf/log.c): at level 1 the path that failed, at level 2
every path, and how precision was sought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee import helpers
from ebee.isa.disasm import Names, text_of
from ebee.verifier.core import dynptr
from ebee.verifier.core import reg as R
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import DoesNotKnow, Rejected
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.scalar import s64
from ebee.verifier.core.state import ACTIVE, DYNPTR, INVALID, ITER, SPILL, Frame, Slot, State
from ebee.verifier.core.tnum import U32, U64

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

_ALIGN, _STEP = 40, 8  # BPF_LOG_ALIGNMENT, BPF_LOG_MIN_ALIGNMENT
_CHARS = "?rm0dif"
"""What stands for each kind of byte of the stack."""

_WITH_MAP = frozenset((R.MAP, R.MAP_KEY, R.MAP_VALUE))
_ALL = 0x7FF


class Log:
    """The text so far. `marks`: where the log was when a branch was set aside."""

    def __init__(self, level: int):
        self.level = level
        self.parts: list[str] = []
        self.scratched = _ALL
        self.slots = -1  # a mask
        self.fresh = True  # the next state is printed in full
        self._printed = -1  # length of the log behind the last instruction
        self._width = 0
        self._line: object = None
        self.marks: dict[int, int] = {}
        self._regs: list[Slot] = []

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def add(self, text: str) -> None:
        self.parts.append(text)

    # -- the walk ------------------------------------------------------------------------------

    def begin(self, w: Walk) -> None:
        """What is said of a program before it is walked."""
        if self.level < 2:
            return
        for number, start in enumerate(w.cfg.starts):
            self.add(f"func#{number} @{start}\n")
        if w.profile.negation:
            self._live(w)

    def _live(self, w: Walk) -> None:
        self.add("Live regs before insn:\n")
        for op in w.cfg.ops:
            if op is not None:
                mask = w.cfg.live[op.slot]
                regs = "".join(str(i) if mask >> i & 1 else "." for i in range(10))
                loop = w.cfg.loop[op.slot] if w.profile.live_links else 0
                part = f"{loop:3d} " if 0 < loop <= w.cfg.shown_loops else " " * 4
                self.add(f"{part}{op.slot:3d}: {regs} {instruction(w, op)}\n")

    def function(self, w: Walk, start: int) -> None:
        """A function is about to be walked."""
        self.fresh, self.scratched, self.slots = False, _ALL, -1
        if start:
            name = next((f.name for f in w.program.funcs if f.start == start), "")
            self.add(f"Validating {name}() func#{w.cfg.owner[start]}...\n")
        elif w.program.btf is not None and w.program.funcs:
            from ebee.verifier.core import subprog

            try:
                subprog.arguments(w, 0)
            except Rejected as error:
                self.add(f"{error.message}\n")
            except DoesNotKnow:
                return

    def checked(self, w: Walk, start: int) -> None:
        """A function was walked to its last end; at level 1 nothing is said of its paths."""
        if self.level < 2:
            self.parts.clear()
        if start:
            self.add(f"{_named(w, start)} is safe for any args that match its prototype\n")

    def assumed(self, w: Walk, start: int) -> None:
        """A global function is called."""
        self.add(f"{_named(w, start)} is global and assumed valid.\n")

    def popped(self, state: State) -> None:
        """A branch that was set aside is next."""
        if self.level < 2:
            mark = self.marks.pop(id(state), 0)
            del self.parts[mark:]
            if mark and not self.parts[-1].endswith("\n"):  # a state came in the line's end's place
                self.parts[-1] = " "
            self._printed = -1
        self.fresh, self.scratched, self.slots = True, _ALL, -1

    def set_aside(self, state: State) -> None:
        if self.level < 2:
            self.marks[id(state)] = len(self.parts)

    def before(self, w: Walk, op: Op) -> None:
        """The next instruction."""
        state = w.state
        if self.fresh and self.level > 1:
            shown = state_text(state, len(state.frames) - 1)
            self.add(f"\nfrom {w.previous} to {w.idx}{_how(state)}:{shown}\n")
            self.fresh = False
        if self.scratched or self.slots:
            self.state(w, w.idx)
        line = w.line_of(w.idx)
        place = (line.file, line.line) if line is not None else None
        if line is not None and place != self._line:
            self._line = place
            name = line.file.rsplit("/", 1)[-1]
            self.add(f"; {line.text.lstrip()} @ {name}:{line.line}\n")
        shown = f"{w.idx}: {instruction(w, op)}"
        self._width = len(shown) + 1
        self.add(shown)
        self.add("\n")
        self._printed = len(self.parts)
        self._regs = state.frame.slots[:]
        self._below = [f.slots[:] for f in state.frames[:-1]]

    def after(self, w: Walk, op: Op, depth: int, callee: Frame | None) -> None:
        """What it changed."""
        state = w.state
        self.scratched |= w.touched(op)
        if len(state.frames) > depth:
            top = len(state.frames) - 1
            self.add(f"caller:\n{state_text(state, top - 1)}\ncallee:\n{state_text(state, top)}\n")
            self.scratched, self.slots = _ALL, -1
            return
        if len(state.frames) < depth and callee is not None:
            was = State([*state.frames, callee])
            was.refs = state.refs
            self.add(f"returning from callee:\n{state_text(was, depth - 1)}\n")
            following = w.returned
            self.add(f"to caller at {following}:\n{state_text(state, depth - 2)}\n")
            self.fresh, self.scratched, self.slots = True, 0, 0
            return
        mine = state.frame.slots
        for i, slot in enumerate(mine if op.kind != "jump" else ()):
            if i >= len(self._regs) or slot is not self._regs[i]:
                self.slots |= 1 << i
        if op.kind == "load" and state.frame.regs[op.src].type == R.STACK:
            base = state.frame.regs[op.src]
            at = base.off + s64(base.v) + op.off
            if base.frame == state.frame.number and at < 0 and not base.m:
                self.slots |= 1 << (-at - 1) // 8
        if op.kind == "jump" and op.operation not in ("ja", "may_goto"):
            self.state(w, w.idx)

    def safe(self, w: Walk) -> None:
        """The path ends at a state that is known to be safe."""
        if self.fresh:
            self.add(f"\nfrom {w.previous} to {w.idx}{_how(w.state)}: safe\n")
        else:
            self.add(f"{w.idx}: safe\n")

    def state(self, w: Walk, idx: int) -> None:
        """What changed since the last time, behind the instruction if that stands last."""
        state = w.state
        if self._printed == len(self.parts):
            self.parts.pop()
            used = max(self._width + _STEP // 2, _ALIGN)
            self.add(" " * ((used + _STEP - 1) // _STEP * _STEP - self._width - 1) + ";")
        else:
            self.add(f"{idx}:")
        top = len(state.frames) - 1
        self.add(state_text(state, top, self.scratched, self.slots) + "\n")
        self.scratched = self.slots = 0
        self._printed = -1

    def end(self, w: Walk, message: str) -> None:
        """The kernel's last words, and the totals."""
        if message:
            self.add(f"{message}\n")
        memory = w.memory
        limit = w.profile.max_processed
        self.add(
            f"processed {w.processed} insns (limit {limit}) max_states_per_insn {memory.most}"
            f" total_states {memory.total} peak_states {memory.total} mark_read 0\n"
        )


# --- instructions --------------------------------------------------------------------------------


def _named(w: Walk, start: int) -> str:
    name = next((f.name for f in w.program.funcs if f.start == start), "")
    return f"Func#{w.cfg.owner[start]} ('{name}')"


def _helper(number: int) -> str | None:
    found = helpers.by_id(number)
    return f"bpf_{found.name}" if found is not None else None


def _how(state: State) -> str:
    return " (speculative execution)" if state.speculative else ""


_ADDRESS = "0xffff888000000000"  # where a map might be


def instruction(w: Walk, op: Op) -> str:
    """One instruction as the log has it: "(b7) r1 = 0"."""

    def kfunc(_: int) -> str | None:
        return w.kfunc_name(op)

    code = op.insn.op
    if op.kind == "imm64":
        pseudo = w.program.pseudo.get(op.slot)
        if op.name == "lddw_func" or pseudo is None:
            shown = f"{op.imm:#x}" if op.name == "lddw_imm" else f"0x{op.insn.imm & 0xFFFFFFFF:x}"
        else:
            shown = _ADDRESS if w.perfmon else "0x0"
        return f"({code:02x}) r{op.dst} = {shown}"
    if op.name == "call_kfunc":
        return f"({code:02x}) call {w.kfunc_name(op)}#{op.imm}"
    names = Names(helper=_helper, kfunc=kfunc)
    following = w.program.insns[op.slot + 1] if op.width == 2 else None
    return f"({code:02x}) {text_of(op.insn, following, op.slot, names)}"


# --- states --------------------------------------------------------------------------------------


def state_text(state: State, depth: int, regs: int = _ALL, slots: int = -1) -> str:
    """What is known in one frame, of registers and slots that the masks name."""
    frame = state.frames[depth]
    parts = [f"frame{depth}:"] if depth else []
    for i, reg in enumerate(frame.regs):
        if regs >> i & 1 and reg.type != R.NOT_INIT:
            mark = "P" * (frame.precise >> i & 1 and reg.type == R.SCALAR)
            parts.append(f"R{i}={mark}{reg_text(reg, depth)}")
    parts += _slots(frame, depth, slots)
    if held := [str(h.id) for h in state.refs if h.id]:
        parts.append("refs=" + ",".join(held))
    if frame.callback:
        parts.append("async_cb" if frame.entry else "cb")
    return " " + " ".join(parts) if parts else ""


def _slots(frame: Frame, depth: int, mask: int) -> list[str]:
    parts = []
    for i, (types, reg) in enumerate(frame.slots):
        if not mask >> i & 1 or types.count(INVALID) == 8:
            continue
        place, kind = f"fp{-8 * (i + 1)}=", types[0]
        chars = "".join(_CHARS[t] for t in reversed(types))
        if kind == SPILL:
            mark = "P" * (frame.sprecise >> i & 1 and reg.type == R.SCALAR)
            parts.append(place + chars.replace("r", "") + mark + reg_text(reg, depth))
        elif kind == DYNPTR:
            if reg.frame:
                inside = [f"id={reg.id}"] * bool(reg.id) + [f"ref_id={reg.ref}"] * bool(reg.ref)
                name = dynptr.KINDS[reg.range]
                parts.append(f"{place}dynptr_{name}({','.join(inside)})")
        elif kind == ITER:
            if reg.ref and reg.btf is not None:
                name = reg.btf.name.removeprefix("bpf_iter_")
                how = "active" if reg.range == ACTIVE else "drained"
                parts.append(f"{place}iter_{name}(ref_id={reg.ref},state={how},depth={reg.uid})")
        else:
            parts.append(place + chars)
    return parts


def unsigned(value: int) -> str:
    return str(value) if value <= 0xFFFF else f"{value:#x}"


def signed(value: int, mask: int = U64) -> str:
    return str(value) if -0x8000 <= value <= 0x7FFF else f"{value & mask:#x}"


def reg_text(reg: Reg, depth: int) -> str:
    """A register as the kernel prints it: "scalar(umax=7)", "fp-8", "ctx()"."""
    kind, base = reg.type, reg.type & R.BASE
    constant = not reg.m
    if kind == R.SCALAR and constant:
        return signed(s64(reg.v))
    text = R.type_name(kind)
    if kind == R.ARENA:
        return text
    if kind == R.STACK:
        text += f"[{reg.frame}]" if reg.frame != depth else ""
        if constant:
            return text + signed(s64(reg.v) + reg.off)
    if base == R.BTF and reg.btf is not None:
        text += reg.btf.name
    return f"{text}({','.join(_inside(reg, kind, base, constant))})"


def _inside(reg: Reg, kind: int, base: int, constant: bool) -> list[str]:
    parts = []
    if reg.id:
        more = f"{reg.off:+d}" if reg.id & R.ADD_CONST and kind == R.SCALAR else ""
        parts.append(f"id={reg.id & ~R.ADD_CONST if kind == R.SCALAR else reg.id}{more}")
    if reg.ref:
        parts.append(f"ref_obj_id={reg.ref}")
    if kind & R.NON_OWNING:
        parts.append("non_own_ref")
    if base in _WITH_MAP and reg.map is not None:
        parts += [f"map={reg.map.name[:15]}"] * bool(reg.map.name)
        parts.append(f"ks={reg.map.key_size},vs={reg.map.value_size}")
    if kind != R.SCALAR and reg.off:
        parts.append(f"off={signed(reg.off)}")
    if base in (R.PACKET, R.META):
        parts.append(f"r={unsigned(reg.range & U64)}")
    if base == R.MEM:
        parts.append(f"sz={unsigned(reg.range)}")
    if kind == R.DYNPTR:
        parts.append(f"type={dynptr.KINDS[reg.range]}")
    if constant:
        return parts + ([f"imm={signed(s64(reg.v))}"] if reg.v else [])
    parts += ranges(reg)
    if reg.m != U64:
        parts.append(f"var_off=({reg.v:#x}; {reg.m:#x})")
    return parts


def ranges(reg: Reg) -> list[str]:
    """Bounds that say something; equal ones share a number (print_scalar_ranges)."""
    rows = [
        ("smin", reg.smin, R.S64_MIN), ("smax", reg.smax, R.S64_MAX), ("umin", reg.umin, 0),
        ("umax", reg.umax, U64), ("smin32", reg.tmin, R.S32_MIN), ("smax32", reg.tmax, R.S32_MAX),
        ("umin32", reg.wmin, 0), ("umax32", reg.wmax, U32),
    ]  # fmt: skip
    left = [i for i, (_, value, plain) in enumerate(rows) if value != plain]
    parts = []
    while left:
        first = left.pop(0)
        name, value, _ = rows[first]
        negative = value < 0
        names = [name]
        for other in left[:]:
            same = rows[other][1] & U64 == value & U64 and (rows[other][1] < 0) == negative
            if (other - first) % 2 == 0 and same:
                names.append(rows[other][0])
                left.remove(other)
        if name[0] == "s":
            shown = signed(value, U32 if names[0].endswith("32") else U64)
        else:
            shown = unsigned(value)
        parts.append("=".join(names) + f"={shown}")
    return parts


# --- precision -----------------------------------------------------------------------------------


def mask_text(mask: int, form: str, step: int = 1, first: int = 0) -> str:
    """Registers or slots of a mask: "r1,r6", "-8,-16"."""
    return ",".join(form.format(first + step * i) for i in range(64) if mask >> i & 1)
