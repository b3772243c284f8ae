"""The functions of one program as a whole, and what they refer to outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast

from ebee.lang.ir import Module, symbol
from ebee.machine.code import Code
from ebee.machine.jit import entry
from ebee.machine.jit.flow import reachable
from ebee.machine.jit.names import entry_name, function_name

T = TypeVar("T")


class Function(Protocol):
    """One function being lowered: `jit.lower`, `jit.checked`."""

    def lower(self) -> str: ...


class Unit:
    """The functions of one program, and what they refer to outside."""

    def __init__(self, code: Code, calls: Calls, lowering: Callable[[Unit, int], Function]):
        self.code, self.calls, self.lowering = code, calls, lowering
        self.module = Module()
        self._shape: Any = None
        self.inner = entry.takes_packet(code) and 0 in code.targets.values()
        self.takes_packet = entry.takes_packet(code) and not self.inner

    @cached_property
    def unmoved(self) -> frozenset[int]:
        """Slots where the packet lies as the entry was told."""
        if not self.takes_packet:
            return frozenset()
        callees = {start: self.callees(start) for start in self.functions()}
        return entry.unmoved(self.code, callees, self.callbacks())

    def shape(self, make: Callable[[Unit], T]) -> T:
        """What `make` finds out about the whole program, once."""
        if self._shape is None:
            self._shape = make(self)
        return cast(T, self._shape)

    def external(self, name: str) -> str:
        """The symbol of a map or of a data map's value."""
        self.module.declarations[name] = f"{symbol(name)} = external global [0 x i8], align 8"
        return symbol(name)

    def intrinsic(self, declaration: str) -> None:
        self.module.declarations[declaration] = declaration

    def runtime(self, name: str) -> str:
        """The symbol of a function of the machine's own runtime."""
        return self.calls.runtime(name)

    def name(self, start: int) -> str:
        """The symbol of a function. The first one is the entry itself, unless others call it too:
        then it takes r1-r5 as they do, and the entry calls it."""
        name = function_name(self.code, start)
        return f"{name}.again" if self.inner and start == 0 else name

    def functions(self) -> list[int]:
        """Starts of the functions, callees before their callers where calls are no circle."""
        order: list[int] = []
        seen: set[int] = set()

        def visit(start: int) -> None:
            if start in seen:
                return
            seen.add(start)
            for callee in self.callees(start):
                visit(callee)
            order.append(start)

        for _, start in self.code.funcs:
            visit(start)
        return order

    def callbacks(self) -> list[int]:
        """Starts of the functions whose addresses the program takes: what helpers may call."""
        forms = self.code.forms
        return sorted({
            target for slot, target in self.code.targets.items()
            if (form := forms[slot]) is not None and form.operation == "func"
        })  # fmt: skip

    def callees(self, start: int) -> set[int]:
        """Functions that a function calls, or has called back."""
        targets = self.code.targets
        return {targets[slot] for slot in reachable(self.code, start) if slot in targets}

    def lower(self) -> Module:
        """All functions of the program."""
        for start in self.functions():
            name = self.name(start)
            self.module.functions[name] = self.lowering(self, start).lower()
        if self.inner:
            name = entry_name(self.code)
            self.module.functions[name] = entry.calling(name, self.name(0))
        return self.module


class Calls:
    """How helper calls are lowered; see `jit.calls`, also for what `f` is."""

    def helper(self, f: Any, slot: int, number: int | None) -> None:
        raise NotImplementedError

    def runtime(self, name: str) -> str:
        raise NotImplementedError

    def size(self, name: str, kind: str) -> int | None:
        """Bytes of a key ("map_key") or of a value of a map, where it is known."""
        raise NotImplementedError
