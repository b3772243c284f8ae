"""CO-RE: what a program said about its own idea of a type, translated to the target's.

clang records for an access such as `task->mm` which type and which path of members it meant. A
Relocator looks the type up in the target's BTF by name, walks the path there, and tells what the
instruction must say instead; `patch` writes that into the instruction. The rules, down to which
ambiguities are refused, are libbpf's (tools/lib/bpf/relo_core.c), so that results are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ebee.btf.ext import CoreKind, CoreRelo
from ebee.btf.match import essential, fields_compatible, same_kind, types_compatible, types_match
from ebee.btf.names import suggest
from ebee.btf.reader import Btf, describe
from ebee.btf.types import Array, Composite, Enumeration, Int, Ptr, Type
from ebee.errors import BtfError
from ebee.isa.insn import (
    ALU,
    ALU64,
    CALL,
    DW,
    JMP,
    LDDW,
    LDX,
    ST,
    STX,
    B,
    H,
    Insn,
    W,
    X,
    imm64,
    signed,
)

MAX_PATH = 64
POISON = 0xBAD2310
"""Poisoned instructions call helper POISON + the relocation's number, as libbpf has it: the
verifier complains only if the program can get there, and a loader can tell which it was."""

_FIELD_KINDS = range(CoreKind.FIELD_BYTE_OFFSET, CoreKind.FIELD_RSHIFT_U64 + 1)
_ENUM_KINDS = (CoreKind.ENUMVAL_EXISTS, CoreKind.ENUMVAL_VALUE)


class Step(NamedTuple):
    """One step of a path: member or enumerator number `at`, called `name`, of the type `type`; or,
    without a name, element `at` of an array of `type`."""

    type: int
    at: int
    name: str = ""


@dataclass(frozen=True)
class Path:
    """What a relocation refers to in one Btf: a type alone, an enumerator, or a field at bit
    `offset`. Anonymous structs on the way have no step of their own."""

    btf: Btf
    root: int
    steps: tuple[Step, ...] = ()
    offset: int = 0

    def __str__(self) -> str:
        text = describe(self.btf.type(self.root))
        for number, step in enumerate(self.steps):
            if step.name:
                text += f".{step.name}"
            elif number or step.at:
                text += f"[{step.at}]"
        return text


@dataclass(frozen=True)
class Resolution:
    """What becomes of the instruction of one relocation.

    It said `old` and must say `new`; `check`: it must indeed say `old`, else the object is
    damaged. `poison`: there is no such thing in the target, and `why` tells the details. Sizes
    are those of the loads and stores that the field calls for, 0 where that does not matter;
    `resizable` whether an access may change its size (pointers, unsigned integers).
    """

    relo: CoreRelo
    local: Path
    target: Path | None
    old: int
    new: int = 0
    check: bool = True
    poison: bool = False
    old_size: int = 0
    new_size: int = 0
    resizable: bool = True
    _why: Callable[[], str] | None = None

    @property
    def why(self) -> str:
        """For a poisoned relocation, what was sought and what there is instead; else ""."""
        return self._why() if self._why else ""


class Relocator:
    """Resolves the relocations of one object against a target.

    local: the object's BTF. target: the kernel's (or any other). modules: more BTFs, split on
    `target`, in which types are sought that the target itself lacks; a function, so that they
    are read only if need be.
    """

    def __init__(self, local: Btf, target: Btf, modules: Callable[[], Iterable[Btf]] = lambda: ()):
        self.local = local
        self.target = target
        self._modules = modules
        self._loaded: list[Btf] | None = None
        self._candidates: dict[int, list[tuple[Btf, int]]] = {}

    def resolve(self, relo: CoreRelo) -> Resolution:
        """Look a relocation up. BtfError if it is damaged, or if several types of the target
        fit and disagree; a thing that the target lacks is no error but a poisoned Resolution."""
        local = parse(self.local, relo)
        if relo.kind is CoreKind.TYPE_ID_LOCAL:
            return Resolution(relo, local, local, relo.type, relo.type, check=False)
        root = self.local.type(relo.type)
        if not root.name:
            raise BtfError(f"CO-RE relocation of {describe(root)}: only types with a name can be")
        candidates = self.candidates(relo.type)
        if self.target.partial:
            self._check_known(root, relo, candidates)
        fitting, best = [], None
        for btf, id in candidates:
            path = find(local, btf, id, relo.kind)
            if path is None:
                continue
            found = self._result(relo, local, path)
            if best is None:
                best = found
            elif (found.new, found.poison) != (best.new, best.poison) or (
                best.target and path.offset != best.target.offset
            ):
                raise BtfError(_ambiguous(relo, local, best, found))
            fitting.append((btf, id))
        if best is None:
            return self._result(relo, local, None)
        # What lacks this field is not meant by the program's other relocations either.
        self._candidates[relo.type] = fitting
        return best

    def _check_known(self, root: Type, relo: CoreRelo, candidates: list[tuple[Btf, int]]) -> None:
        """A part of a kernel's types cannot say that there is no such type or member."""
        opaque = any(btf.is_opaque(id) for btf, id in candidates)
        if not candidates or (opaque and relo.kind in (*_FIELD_KINDS, CoreKind.TYPE_MATCHES)):
            whole = " as a whole" if candidates else ""
            raise BtfError(
                f"{describe(root)} is not{whole} in {self.target.name},"
                " which has but a part of that kernel's types; relocate against a kernel's own BTF"
            )

    def candidates(self, local_id: int) -> list[tuple[Btf, int]]:
        """The target's types with the name (flavour aside) and kind of a local type."""
        known = self._candidates.get(local_id)
        if known is None:
            local = self.local.type(local_id)
            known = _named(self.target, local)
            if not known:
                if self._loaded is None:
                    self._loaded = list(self._modules())
                for module in self._loaded:
                    known += [entry for entry in _named(module, local) if entry not in known]
            self._candidates[local_id] = known
        return known

    def _result(self, relo: CoreRelo, local: Path, target: Path | None) -> Resolution:
        """Combine what the instruction says (from `local`) with what it must say."""
        old = value_of(local, relo.kind)
        if old is None:
            raise BtfError(f"{relo.kind.name} of {local} makes no sense")
        new = value_of(target, relo.kind) if target else _absent(relo.kind)
        if new is None:
            why = lambda: self._explain(relo, local)  # noqa: E731
            return Resolution(relo, local, target, old.value, poison=True, _why=why)
        resizable = old.size == new.size
        if not resizable and target:
            mine, theirs = local.btf.resolve(old.type), target.btf.resolve(new.type)
            resizable = (isinstance(mine, Ptr) and isinstance(theirs, Ptr)) or (
                _unsigned(mine) and _unsigned(theirs)
            )
        return Resolution(
            *(relo, local, target, old.value, new.value, old.check, False),
            *(old.size, new.size, resizable),
        )

    def _explain(self, relo: CoreRelo, local: Path) -> str:
        """What was sought, and what comes nearest in the target."""
        root = self.local.type(relo.type)
        kind = (Enumeration,) if isinstance(root, Enumeration) else (type(root),)
        if not self.candidates(relo.type):
            return self.target.missing(essential(root.name), kind)
        text = f"{self.target.name} has {describe(root)}, but not {local}"
        lines = [
            text + f" ({relo.kind.name})",
            *(_nearest(local, btf, id) for btf, id in self.candidates(relo.type)[:5]),
        ]
        return "\n".join(lines)


def _named(btf: Btf, local: Type) -> list[tuple[Btf, int]]:
    name = essential(local.name)
    return [
        (btf, id)
        for id in btf.ids_with_flavours(name)
        if essential(btf.type(id).name) == name and same_kind(local, btf.type(id))
    ]


def _ambiguous(relo: CoreRelo, local: Path, one: Resolution, other: Resolution) -> str:
    def shown(found: Resolution) -> str:
        path = found.target
        assert path is not None
        value = "not there" if found.poison else f"{found.new:#x}"
        return f"type {path.root} of {path.btf.name}: {value}"

    return (
        f"CO-RE relocation {relo.kind.name} of {local} is ambiguous: "
        f"the target has several such types, which disagree ({shown(one)}; {shown(other)})"
    )


# -- paths ----------------------------------------------------------------------------------------


def parse(local: Btf, relo: CoreRelo) -> Path:
    """The path that a relocation means in the object's own BTF. BtfError if it is damaged."""
    where = f"CO-RE relocation {relo.kind.name} {relo.access!r} of type {relo.type}"
    try:
        indexes = [int(part) for part in relo.access.split(":")]
    except ValueError:
        raise BtfError(f"{where}: the access string is no list of numbers") from None
    if not 0 < len(indexes) <= MAX_PATH or min(indexes) < 0:
        raise BtfError(f"{where}: the access string is empty, too long or has negative numbers")
    root = local.resolve(relo.type)
    if relo.kind in _ENUM_KINDS:
        if not isinstance(root, Enumeration) or len(indexes) > 1 or indexes[0] >= len(root.values):
            raise BtfError(f"{where}: {describe(root)} has no such enumerator")
        step = Step(root.id, indexes[0], root.values[indexes[0]].name)
        return Path(local, relo.type, (step,))
    if relo.kind not in _FIELD_KINDS:
        if indexes != [0]:
            raise BtfError(f"{where}: for a type as a whole the access string is '0'")
        return Path(local, relo.type)
    steps = [Step(root.id, indexes[0])]
    offset = indexes[0] * local.sizeof(root.id) * 8
    at = root
    for index in indexes[1:]:
        if isinstance(at, Composite) and index < len(at.members):
            member = at.members[index]
            offset += local.bitfield(member)[0]
            if member.name:
                steps.append(Step(at.id, index, member.name))
            at = local.resolve(member.type)
        elif isinstance(at, Array) and (index < at.nelems or _flexible(local, steps[-1], at)):
            at = local.resolve(at.type)
            steps.append(Step(at.id, index))
            offset += index * local.sizeof(at.id) * 8
        else:
            raise BtfError(f"{where}: {describe(at)} has nothing under {index}")
    return Path(local, relo.type, tuple(steps), offset)


def _flexible(btf: Btf, last: Step, array: Array) -> bool:
    """Whether an array without a length is the last member of its struct."""
    if not last.name or array.nelems:
        return False
    outer = btf.type(last.type)
    return isinstance(outer, Composite) and last.at == len(outer.members) - 1


def find(local: Path, btf: Btf, id: int, kind: CoreKind) -> Path | None:
    """The path in `btf` from type `id` that corresponds to `local`, or None if there is none."""
    if kind in _FIELD_KINDS:
        return _find_field(local, btf, id)
    if kind in _ENUM_KINDS:
        found, wanted = btf.resolve(id), essential(local.steps[0].name)
        for index, value in enumerate(found.values if isinstance(found, Enumeration) else ()):
            if essential(value.name) == wanted:
                return Path(btf, id, (Step(found.id, index, value.name),))
        return None
    rule = types_match if kind is CoreKind.TYPE_MATCHES else types_compatible
    return Path(btf, id) if rule(local.btf, local.root, btf, id) else None


def _find_field(local: Path, btf: Btf, id: int) -> Path | None:
    steps: list[Step] = []
    offset = 0
    at = btf.resolve(id)
    for number, step in enumerate(local.steps):
        if step.name:
            found = _find_member(local.btf, step, btf, at, set())
            if found is None:
                return None
            owner, index, bits, member_type = found
            steps.append(Step(owner, index, step.name))
            offset += bits
            at = btf.resolve(member_type)
            continue
        if number:  # the first step is an index to the root, as if to an array of it
            fits = isinstance(at, Array) and (step.at < at.nelems or _flexible(btf, steps[-1], at))
            if not isinstance(at, Array) or not fits:
                return None
            at = btf.resolve(at.type)
        steps.append(Step(at.id, step.at))
        offset += step.at * btf.sizeof(at.id) * 8 if step.at else 0
    return Path(btf, id, tuple(steps), offset)


def _find_member(
    local: Btf, step: Step, btf: Btf, at: Type, seen: set[int]
) -> tuple[int, int, int, int] | None:
    """(owner, index, bit offset from `at`, type) of the member of `at`, or of anonymous structs
    in it, that has the name of a local step and a compatible type."""
    if not isinstance(at, Composite) or at.id in seen:
        return None
    seen.add(at.id)
    for index, member in enumerate(at.members):
        bits = btf.bitfield(member)[0]
        if not member.name:
            inner = _find_member(local, step, btf, btf.resolve(member.type), seen)
            if inner:
                return inner[0], inner[1], bits + inner[2], inner[3]
        elif member.name == step.name:
            owner = local.type(step.type)
            mine = owner.members[step.at].type if isinstance(owner, Composite) else 0
            fits = fields_compatible(local, mine, btf, member.type)
            return (at.id, index, bits, member.type) if fits else None
    return None


def _nearest(local: Path, btf: Btf, id: int) -> str:
    """For messages: how far a path goes in a candidate, and what is there instead."""
    for count in range(1, len(local.steps) + 1):
        part = Path(local.btf, local.root, local.steps[:count])
        if _find_field(part, btf, id) is None:
            break
    step, found = local.steps[count - 1], btf.resolve(id)
    before = _find_field(Path(local.btf, local.root, local.steps[: count - 1]), btf, id)
    if before and before.steps:
        last = before.steps[-1]
        owner = btf.type(last.type)
        if last.name and isinstance(owner, Composite):
            found = btf.resolve(owner.members[last.at].type)
    where = f"  type {id} of {btf.name}: "
    if isinstance(found, Enumeration):
        return f"{where}no enumerator {step.name!r}" + suggest(
            step.name, (value.name for value in found.values)
        )
    if not step.name:
        return f"{where}{describe(found)} has no element {step.at}"
    names = _member_names(btf, found, set())
    if step.name in names:
        return f"{where}{describe(found)} has a member {step.name!r}, but of another kind of type"
    return f"{where}{describe(found)} has no member {step.name!r}{suggest(step.name, names)}"


def _member_names(btf: Btf, found: Type, seen: set[int]) -> list[str]:
    names: list[str] = []
    if isinstance(found, Composite) and found.id not in seen:
        seen.add(found.id)
        for member in found.members:
            if member.name:
                names.append(member.name)
            else:
                names += _member_names(btf, btf.resolve(member.type), seen)
    return names


# -- values ---------------------------------------------------------------------------------------


class Value(NamedTuple):
    """What a relocation says; `check` whether compilers agree on it. `size` and `type` are those
    of a load or store of the field (of an array: of its element)."""

    value: int
    check: bool = True
    size: int = 0
    type: int = 0


def _absent(kind: CoreKind) -> Value | None:
    """What to say about what the target lacks; None: nothing can be said."""
    zero = (
        CoreKind.FIELD_EXISTS,
        CoreKind.ENUMVAL_EXISTS,
        CoreKind.TYPE_ID_TARGET,
        CoreKind.TYPE_EXISTS,
        CoreKind.TYPE_MATCHES,
        CoreKind.TYPE_SIZE,
    )
    return Value(0) if kind in zero else None


def value_of(path: Path, kind: CoreKind) -> Value | None:
    """The number that a relocation of a kind stands for, where a path leads in one BTF; None where
    there is no such number."""
    btf = path.btf
    match kind:
        case CoreKind.TYPE_ID_TARGET | CoreKind.TYPE_ID_LOCAL:
            return Value(path.root, check=False)
        case CoreKind.TYPE_SIZE:
            return Value(btf.sizeof(path.root))
        case (
            CoreKind.FIELD_EXISTS
            | CoreKind.ENUMVAL_EXISTS
            | CoreKind.TYPE_EXISTS
            | CoreKind.TYPE_MATCHES
        ):
            return Value(1)
        case CoreKind.ENUMVAL_VALUE:
            found, step = btf.type(path.steps[0].type), path.steps[0]
            return Value(found.values[step.at].value) if isinstance(found, Enumeration) else None
    last = path.steps[-1]
    if last.name:
        return _field_value(path, kind)
    # An element of an array, or the root itself.
    if kind is CoreKind.FIELD_BYTE_OFFSET:
        element = _element(btf, last.type)
        return Value(path.offset // 8, True, btf.sizeof(element), element)
    return Value(btf.sizeof(last.type)) if kind is CoreKind.FIELD_BYTE_SIZE else None


def _field_value(path: Path, kind: CoreKind) -> Value | None:
    """The value for a member. Of a bitfield it is the word around it that is loaded: which one
    is the compiler's choice, so the old value is not checked."""
    btf, last = path.btf, path.steps[-1]
    owner = btf.type(last.type)
    assert isinstance(owner, Composite)
    member = owner.members[last.at]
    bits = btf.bitfield(member)[1]
    found, size = btf.resolve(member.type), btf.sizeof(member.type)
    at = path.offset // 8
    if bits:
        at = path.offset // 8 // size * size
        while path.offset + bits - at * 8 > size * 8:
            if size >= 8:
                raise BtfError(f"CO-RE: the bitfield {path} does not fit in a word of 8 bytes")
            size *= 2
            at = path.offset // 8 // size * size
    width = bits or size * 8
    match kind:
        case CoreKind.FIELD_BYTE_OFFSET:
            if bits:
                return Value(at, check=False)
            element = _element(btf, member.type)
            return Value(at, True, btf.sizeof(element), element)
        case CoreKind.FIELD_BYTE_SIZE:
            return Value(size, check=not bits)
        case CoreKind.FIELD_SIGNED:
            return Value(int(isinstance(found, (Int, Enumeration)) and found.signed))
        case CoreKind.FIELD_LSHIFT_U64:
            before = path.offset - at * 8
            little = btf.byteorder == "little"
            value = 64 - before - width if little else (8 - size) * 8 + before
            return Value(value & (1 << 64) - 1, check=not bits)
        case CoreKind.FIELD_RSHIFT_U64:
            return Value(64 - width & (1 << 64) - 1)
    return None


def _element(btf: Btf, id: int) -> int:
    """The id of what is loaded: of an array its innermost element."""
    found = btf.resolve(id)
    for _ in range(MAX_PATH):
        if not isinstance(found, Array):
            break
        found = btf.resolve(found.type)
    return found.id


def _unsigned(found: Type) -> bool:
    return isinstance(found, Int) and not found.signed


# -- instructions ---------------------------------------------------------------------------------


def patch(insns: list[Insn], slot: int, found: Resolution, number: int = 0) -> None:
    """Write a resolution into the instruction at `slot`, in place. `number` is the relocation's,
    which a poisoned instruction carries (POISON + number). BtfError if the instruction is not
    one that the relocation can be for, or cannot hold the value."""
    relo = f"CO-RE relocation #{number} {found.relo.kind.name} of {found.local}"
    if not 0 <= slot < len(insns):
        raise BtfError(f"{relo}: there is no instruction {slot}")
    insn = insns[slot]
    kind = insn.op & 7
    wide = insn.op == LDDW
    if kind in (ALU, ALU64):
        fits = not insn.op & X
        said, bits = insn.imm, 32
    elif kind in (LDX, ST, STX):
        fits, said, bits = True, insn.off, 16
    else:
        high = insns[slot + 1] if slot + 1 < len(insns) else Insn(1)
        fits = wide and insn.src == insn.off == 0 and high[:4] == (0, 0, 0, 0)
        said, bits = imm64(insn, high), 64
    if not fits:
        raise BtfError(f"{relo}: instruction {slot} (opcode {insn.op:#04x}) cannot be relocated")
    if found.poison:
        insns[slot : slot + 1 + wide] = [Insn(JMP | CALL, imm=POISON + number)] * (1 + wide)
        return
    mask = (1 << bits) - 1
    if found.check and said & mask != found.old & mask:
        raise BtfError(
            f"{relo}: instruction {slot} says {said}, but {found.old} was expected; "
            "the object is damaged"
        )
    if wide:
        insns[slot] = insn._replace(imm=signed(found.new, 32))
        insns[slot + 1] = insns[slot + 1]._replace(imm=signed(found.new >> 32, 32))
    elif bits == 32:
        insns[slot] = insn._replace(imm=signed(found.new, 32))
    else:
        insns[slot] = _access(insn, slot, found, relo)


def _access(insn: Insn, slot: int, found: Resolution, relo: str) -> Insn:
    """A load or store with its new offset and, where that is safe, its new size."""
    if not 0 <= found.new <= 0x7FFF:
        raise BtfError(f"{relo}: offset {found.new} does not fit in instruction {slot} (15 bits)")
    if not found.resizable:
        raise BtfError(
            f"{relo}: the field has {found.old_size} bytes in the program and {found.new_size} in "
            f"the target, and instruction {slot} cannot change: only pointers and unsigned "
            "integers may differ in size. Read the field with bpf_core_read or BPF_CORE_READ"
        )
    op = insn.op
    if found.old_size != found.new_size:
        if _SIZES.get(op & 0x18) != found.old_size:
            raise BtfError(
                f"{relo}: instruction {slot} accesses {_SIZES.get(op & 0x18)} bytes of a field of "
                f"{found.old_size}"
            )
        code = {size: code for code, size in _SIZES.items()}.get(found.new_size)
        if code is None:
            raise BtfError(f"{relo}: no instruction accesses {found.new_size} bytes")
        op = op & ~0x18 | code
    return insn._replace(op=op, off=found.new)


_SIZES = {B: 1, H: 2, W: 4, DW: 8}
