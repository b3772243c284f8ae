"""LLVM IR as text: modules in parts that can be merged, and functions block by block.

Nothing here is numbered across functions (no attribute groups, metadata or type numbers), so the
texts of two modules can stand in one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ebee.errors import CompileError

if TYPE_CHECKING:
    from ebee.lang.target import Target


@dataclass(frozen=True, slots=True)
class FunctionType:
    """An exported function: names and types of its parameters (bound ones are gone), the type of
    its result; `llvm` is the type as IR has it, `ptr (i64, ptr)`."""

    params: tuple[tuple[str, Any], ...]
    result: Any
    llvm: str


@dataclass
class Module:
    """IR in parts, each by the name of what it declares or defines.

    `exports`: the functions that can be called from outside.
    """

    declarations: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    exports: dict[str, FunctionType] = field(default_factory=dict)

    @property
    def ir(self) -> str:
        """The whole text. What is defined here is not declared."""
        outside = [t for n, t in self.declarations.items() if n not in self.functions]
        return "\n".join([*outside, *self.functions.values()]) + "\n"

    def merge(self, *others: Module) -> Module:
        """One module of several; CompileError when two define one name differently."""
        whole = Module(dict(self.declarations), dict(self.functions), dict(self.exports))
        for other in others:
            for name, text in other.functions.items():
                if whole.functions.setdefault(name, text) != text:
                    raise CompileError(f"two modules define @{name} differently")
            for name, text in other.declarations.items():
                if whole.declarations.setdefault(name, text) != text:
                    raise CompileError(f"two modules declare @{name} differently")
            whole.exports |= other.exports
        return whole


_MADE = (
    (r"(?:alloca|getelementptr|inttoptr)\b", lambda m: "ptr"),
    (r"icmp\b", lambda m: "i1"),
    (r"(?:zext|sext|trunc|ptrtoint|freeze)\b.* to (\w+)", lambda m: m[1]),
    (r"load (?:volatile |atomic )*(\w+),", lambda m: m[1]),
    (r"(?:phi|call) (\w+)", lambda m: m[1]),
    (r"select i1 [^,]+, (\w+)", lambda m: m[1]),
    (r"atomicrmw \w+ ptr [^,]+, (\w+)", lambda m: m[1]),
    (
        r"(?:add|sub|mul|udiv|urem|sdiv|srem|and|or|xor|shl|lshr|ashr)(?: \w+)*? (i\d+) ",
        lambda m: m[1],
    ),
    (r"extractvalue \{ (.*?) \} .*, (\d+)", lambda m: m[1].split(", ")[int(m[2])]),
)


def _type_made(instruction: str) -> str:
    """The type of an instruction's result."""
    for pattern, found in _MADE:
        if (match := re.match(pattern, instruction)) is not None:
            return found(match)
    raise CompileError(f"the type of `{instruction}` is not known")


@lru_cache(4096)
def symbol(name: str) -> str:
    """A global name as IR writes it."""
    escaped = "".join(
        chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:02X}" for b in name.encode()
    )
    return f'@"{escaped}"'


class Body:
    """The blocks of one function. Code behind a terminator goes nowhere, until the next label."""

    def __init__(self, target: Target | None = None) -> None:
        self.target = target
        self.where = ""
        """What follows each instruction: the place in the source it comes from."""
        self.unfollowed: set[str] = set()
        """Results of divisions: the kernel's verifier does not know their ranges."""
        self.elsewhere: set[str] = set()
        """Addresses that are not on the function's stack."""
        self.nulls: dict[str, str] = {}
        """Pointers -> the condition of which it is known here that they are null by it: until the
        next label, and the next call of a function that LLVM may put in its place."""
        self.entry: list[str] = []
        self.lines: list[str] = []
        self.block = "start.0"
        self.open = True
        self.types: dict[str, str] = {}
        """Types of parameters."""
        self._count = 0

    def name(self, hint: str = "v") -> str:
        """A new name for a value or label."""
        self._count += 1
        return f"{hint if hint.isascii() else 'v'}.{self._count}"

    def use_names_after(self, other: Body) -> None:
        """Let no new name be one that another body has."""
        self._count = max(self._count, other._count)

    def type_of(self, name: str) -> str:
        """The type of a value, by the instruction that made it."""
        if name in self.types:
            return self.types[name]
        head = f"  {name} = "
        for line in [*self.entry, *self.lines]:
            if line.startswith(head):
                return _type_made(line[len(head) :])
        raise CompileError(f"{name} is defined nowhere")

    def emit(self, text: str) -> None:
        """An instruction without result."""
        if self.open:
            self.lines.append(f"  {text}{self.where}")

    def op(self, text: str, hint: str = "v") -> str:
        """An instruction with a result; gives its operand."""
        result = "%" + self.name(hint)
        self.emit(f"{result} = {text}")
        return result

    def is_null(self, pointer: str) -> str:
        """Whether a pointer is null."""
        return self.nulls.get(pointer) or self.op(f"icmp eq ptr {pointer}, null")

    def alloca(self, llvm_type: str, align: int, hint: str = "slot") -> str:
        """Room on the stack for the whole life of the function."""
        result = "%" + self.name(hint)
        self.entry.append(f"  {result} = alloca {llvm_type}, align {align}")
        return result

    def label(self, name: str) -> None:
        """Begin a block; the one before it goes on here unless it has ended."""
        if self.open:
            self.emit(f"br label %{name}")
        self.lines.append(f"{name}:")
        self.block, self.open = name, True
        self.nulls.clear()

    def end(self, text: str) -> None:
        """A terminator."""
        self.emit(text)
        self.open = False

    def jump(self, label: str) -> None:
        self.end(f"br label %{label}")

    def text(self) -> str:
        return "\n".join(["entry.0:", *self.entry, "  br label %start.0", "start.0:", *self.lines])
