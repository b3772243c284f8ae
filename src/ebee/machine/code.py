"""Code: a linked program made ready for the machine's engines.

References become addresses. For the compiler, loads from the context become loads from the
machine's block behind it, as the kernel's verifier converts them (convert_ctx_accesses); the
interpreter sees which they are when they happen. Both keep the slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ebee.errors import MachineError
from ebee.helpers import Helper, by_id
from ebee.hooks import CtxField, Hook
from ebee.isa import Form, Insn, check_program, form_of, lddw, make, successors
from ebee.obj.spec import Linked, Ref
from ebee.types import Struct, offsetof

if TYPE_CHECKING:
    from ebee.verifier.facts import Fact, Facts

FUNCTION_STEP = 8
"""Distance of the made-up addresses of two neighbouring slots, for pointers to functions."""


@dataclass(eq=False)
class Code:
    """One program ready to run: `linked`, whose first function takes `arguments` (None: a context).

    `insns` are patched, `forms` their table rows (None for the second half of a wide load). `text`
    is the address that stands for slot 0 in pointers to functions. `extra` are helpers by number.
    `proof` are the verifier's facts, encoded, if it accepted the program (see `prove`).
    """

    name: str
    linked: Linked
    hook: Hook | None
    insns: list[Insn]
    forms: list[Form | None]
    text: int
    attach_type: int = 0
    arguments: Sequence[Fact] | None = None
    extra: Mapping[int, Helper] = field(default_factory=dict)
    handlers: list[Callable[[Any], int]] | None = None
    proof: bytes = b""
    _places: dict[tuple[int, int, bool], tuple[int, int] | None] = field(default_factory=dict)

    @cached_property
    def facts(self) -> Facts:
        """What each register holds before each instruction: by the quick pass, and by the verifier
        where it accepted the program."""
        from ebee.verifier.facts import Facts
        from ebee.verifier.kinds import pointer_kinds

        given = {} if self.arguments is None else {"arguments": self.arguments}
        found = pointer_kinds(self.linked, self.hook, extra=self.extra, **given)
        if self.proof:
            with suppress(ValueError):  # a file of the cache was damaged
                return found.refined(Facts.decode(self.proof))
        return found

    def prove(self, proof: bytes) -> None:
        """Take the facts of the verifier, which has accepted the program (`Facts.encode`); b"": no
        longer. Code that was compiled before stays as it is."""
        self.proof = proof
        for name in ("facts", "converted"):
            self.__dict__.pop(name, None)

    @cached_property
    def converted(self) -> dict[int, tuple[Insn, Form]]:
        """Accesses that facts show to be the context's, as accesses of the block."""
        return dict(_convert(self)) if self.hook and self.hook.fields else {}

    @cached_property
    def funcs(self) -> list[tuple[str, int]]:
        """The functions: name, and slot where it starts."""
        return [(f.name, f.start) for f in self.linked.funcs]

    @cached_property
    def refs(self) -> dict[int, Ref]:
        """The symbolic values of wide loads, for code that is compiled once and placed often."""
        return {r.slot: r for r in self.linked.refs}

    @cached_property
    def targets(self) -> dict[int, int]:
        """The functions that calls and addresses of functions lead to."""
        return {
            slot: slot + 1 + self.linked.insns[slot].imm
            for slot, form in enumerate(self.forms)
            if form is not None and form.operation in ("local", "func")
        }

    def place(self, offset: int, size: int, write: bool) -> tuple[int, int] | None:
        """Where an access of the context goes: offset and size in the block; None when the hook's
        declaration does not allow it."""
        key = offset, size, write
        if key not in self._places:
            assert self.hook is not None
            found = ctx_target(self.hook, offset, size, write, self.attach_type)
            self._places[key] = found and found[1:]
        return self._places[key]

    def where(self, slot: int) -> str:
        """The place of a slot for a message: program, slot, and source line where known."""
        line = next((ln for ln in reversed(self.linked.lines) if ln.slot <= slot), None)
        source = f" ({line.file}:{line.line}: {line.text.strip()})" if line else ""
        ref = self.refs.get(slot)
        lacking = f": {ref.symbol}" if ref and ref.kind == "core" else ""
        return f"{self.name}, instruction {slot}{source}{lacking}"


def block_of(hook: Hook) -> type[Struct]:
    """The struct behind a hook's context on the machine."""
    if hook.block is None:
        reason = hook.missing.get("machine", "the machine has no context for it")
        raise MachineError(f"{hook.name} programs do not run on the machine: {reason}")
    module, _, name = hook.block.partition(":")
    block: type[Struct] = getattr(import_module(module), name)
    return block


def ctx_target(
    hook: Hook, offset: int, size: int, write: bool, attach_type: int = 0
) -> tuple[CtxField, int, int] | None:
    """Where an access of the context goes: the field, offset in the block, size there. None when
    the hook's declaration does not allow it."""
    f = hook.field_at(offset, size, write, attach_type)
    if f is None or not f.source:
        return None
    base = offsetof(block_of(hook), f.source)
    if f.kind != "scalar":
        return f, base, 8
    return f, base + offset - f.offset, size


def prepare(
    program: Linked,
    hook: Hook | None,
    addresses: Mapping[str, int],
    text: int,
    arguments: Sequence[Fact] | None = None,
    attach_type: int = 0,
    extra: Mapping[int, Helper] = MappingProxyType({}),
) -> Code:
    """Make a linked program ready; `addresses` of maps and of the values of data maps by name
    (`name` and `name.value`); `extra` helpers by number. MachineError for what the machine does
    not have."""
    faults = check_program(program.insns)
    if hook is None and program.insns:
        faults = [f for f in faults if not _bare(program.insns[f.slot])]
    if faults:
        raise MachineError(
            f"{program.name}: no valid program: instruction {faults[0].slot}: {faults[0].reason}"
        )
    insns = list(program.insns)
    forms = [form_of(i) for i in insns]
    for slot, form in enumerate(forms):
        if form is not None and form.wide:
            forms[slot + 1] = None
    if hook is not None:
        _check_calls(program, hook, attach_type, insns, forms, extra)
    _check_functions(program, forms)
    _patch(program, insns, forms, addresses, text)
    return Code(program.name, program, hook, insns, forms, text, attach_type, arguments, extra)


def _bare(insn: Insn) -> bool:
    """Engines without a kernel around them know a call through a register; Linux does not."""
    form = form_of(insn)
    return form is not None and form.name == "callx"


def _check_functions(program: Linked, forms: Sequence[Form | None]) -> None:
    """Refuse control that leaves a function but by exit and calls (check_subprogs)."""
    starts = sorted({f.start for f in program.funcs} | {0})
    for start, end in zip(starts, [*starts[1:], len(forms)], strict=True):
        for slot in range(start, end):
            form = forms[slot]
            if form is None:
                continue
            for to in successors(program.insns[slot], slot):
                if not start <= to < end:
                    raise MachineError(
                        f"{program.name}, instruction {slot}: leads to {to}, out of its function"
                    )


def _check_calls(
    program: Linked, hook: Hook, attach_type: int, insns: Sequence[Insn],
    forms: Sequence[Form | None], extra: Mapping[int, Helper],
) -> None:  # fmt: skip
    """Refuse helpers that programs of this hook may not call, as the kernel does."""
    for slot, form in enumerate(forms):
        number = insns[slot].imm
        if form is None or form.operation != "helper" or number in extra:
            continue
        helper, where = by_id(number), f"{program.name}, instruction {slot}"
        if helper is None:
            raise MachineError(f"{where}: there is no helper number {number}")
        if not hook.may_call(helper.name, attach_type):
            raise MachineError(f"{where}: {hook.name} programs cannot call bpf_{helper.name}")


def _patch(
    program: Linked,
    insns: list[Insn],
    forms: Sequence[Form | None],
    addresses: Mapping[str, int],
    text: int,
) -> None:
    def load(slot: int, value: int) -> None:
        insns[slot : slot + 2] = lddw(insns[slot].dst, value)

    for ref in program.refs:
        if ref.kind == "map":
            load(ref.slot, addresses[ref.symbol])
        elif ref.kind == "data":
            load(ref.slot, addresses[f"{ref.symbol}.value"] + ref.addend)
        elif ref.kind != "core":
            raise MachineError(
                f"{program.name}, instruction {ref.slot}: {ref.kind} {ref.symbol!r} is the"
                " kernel's; the machine does not have it"
            )
        elif ref.core is not None:  # a resolved one is but a note
            raise MachineError(
                f"{program.name}, instruction {ref.slot}: CO-RE relocation of {ref.symbol!r} is"
                " not resolved; relocate the object against a target BTF first"
            )
    for slot, form in enumerate(forms):
        if form is None:
            continue
        if form.operation == "func":
            load(slot, text + FUNCTION_STEP * (slot + 1 + program.insns[slot].imm))
        elif form.kind == "imm64" and insns[slot].src:
            raise MachineError(f"{program.name}, instruction {slot}: {form.name} without a map")
        elif form.name in ("call_kfunc", "addr_space_cast"):
            raise MachineError(
                f"{program.name}, instruction {slot}: the machine has no"
                f" {'arenas' if form.name == 'addr_space_cast' else 'kernel functions'}"
            )


def _convert(code: Code) -> Iterator[tuple[int, tuple[Insn, Form]]]:
    for slot, form in enumerate(code.forms):
        if form is None or form.kind not in ("load", "store"):
            continue
        insn, write = code.insns[slot], form.kind == "store"
        base = code.facts.reg(slot, insn.dst if write else insn.src)
        if base.kind != "ctx" or base.offset is None or base.nullable:
            continue
        found = code.place(base.offset + insn.off, form.size, write)
        if found is None:
            continue  # faults when it is reached
        offset, size = found
        name = f"load_u{size * 8}" if size != form.size else form.name
        insn = make(name, insn.dst, insn.src, offset - base.offset, insn.imm)
        converted = form_of(insn)
        assert converted is not None
        yield slot, (insn, converted)
