"""Helper calls in compiled programs: the bodies of the declarations, compiled with the program.

A map operation is compiled for the one map that it is called with, whose layout and addresses are
constants then; what has no body is LLVM IR (`jit.engine_calls`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ebee import helpers, maps
from ebee.errors import MachineError
from ebee.helpers import Helper
from ebee.helpers.nofault import byte_at
from ebee.lang.ir import Module, symbol
from ebee.lang.known import Known
from ebee.lang.target import host
from ebee.lang.unit import Spec, compile_native
from ebee.lang.unit import Unit as NativeUnit
from ebee.lang.values import is_int, is_integer, is_ptr, llvm
from ebee.machine.jit import runtime
from ebee.machine.jit.engine_calls import ENGINE
from ebee.machine.jit.known import known_map
from ebee.machine.jit.lower import Lowering
from ebee.machine.jit.names import entry_name as entry_name
from ebee.machine.jit.names import map_name
from ebee.machine.jit.unit import Calls
from ebee.machine.maps import MachineMap


class Unsupported(MachineError):
    """What the JIT leaves to the interpreter."""


class HelperCalls(Calls):
    """Lowers helper calls of one program; collects what has to be compiled with it."""

    def __init__(self, maps: Mapping[str, MachineMap], programs: int, extra: Mapping[int, Helper]):
        self.maps, self.extra = maps, extra
        self.addresses: dict[str, int] = {"machine.programs": programs}
        self.specs: dict[str, Spec] = {}
        self._known: dict[str, Known] = {}
        self._signatures = NativeUnit(host())

    # -- what is compiled along --------------------------------------------------------------------

    def map(self, name: str) -> Known:
        """A map's constant object."""
        if name not in self._known:
            self._known[name], addresses = known_map(map_name(name), self.maps[name])
            self.addresses |= addresses
        return self._known[name]

    def native(self, name: str, function: Callable[..., Any], **bind: Any) -> str:
        """Have a function compiled; its symbol."""
        self.specs.setdefault(name, Spec(function, name, bind, inline="hint"))
        return symbol(name)

    def runtime(self, name: str) -> str:
        return self.native(f"machine.{name}", getattr(runtime, name))

    def module(self) -> Module:
        """Everything that the program calls."""
        external = {byte_at: "machine.byte_at"}
        made = compile_native(list(self.specs.values()), linkage="internal", external=external)
        if "machine.byte_at" not in made.declarations:
            return made
        bind = {"regions": Known("machine.regions")}
        spec = Spec(runtime.byte_at, "machine.byte_at", bind)
        return made.merge(compile_native([spec], linkage="internal"))

    def size(self, name: str, kind: str) -> int | None:
        m = self.maps.get(name)
        return None if m is None else m.key_size if kind == "map_key" else m.value_size

    def _params(self, function: Callable[..., Any]) -> tuple[list[tuple[str, Any]], Any]:
        return self._signatures._signature(function)

    # -- calls -------------------------------------------------------------------------------------

    def helper(self, f: Lowering, slot: int, number: int | None) -> None:
        if number is None:
            self._any_helper(f, slot)
            return
        helper = self.extra.get(number) or helpers.by_id(number)
        if helper is None or helper.body is None:
            raise Unsupported(f"{f.code.where(slot)}: helper {number} is not on the machine")
        f.check_arguments(slot, helper)
        at = next((i for i, p in enumerate(helper.params, 1) if p.kind == "map"), 0)
        m = self.known_map(f, slot, at) if at else None
        if m is not None and not self.maps[m].kind.takes(helper.name):
            f.no_such_map(slot, at)
            f.set_result("0")
            return
        self._body(f, slot, helper, m)
        f.called(slot, helper)

    def _body(self, f: Lowering, slot: int, helper: Helper, m: str | None) -> None:
        """The call of what a helper does; `m`: the map that it gets, where that is known."""
        assert helper.body is not None
        module, _, name = helper.body.partition(":")
        if module == "engine":
            ENGINE[name](self, f, slot)
        elif module != "map":
            function = getattr(import_module(module), name)
            target = self.native(f"machine.bpf_{helper.name}", function)
            self._take(f, *self._call(f, target, function, ["ptr %cpu"], skip=1, first=1))
        elif m is not None:
            function = getattr(self.maps[m].ops, name)
            params, _ = self._params(function)
            target = self.native(f"map/{m}:{name}", function, **{params[1][0]: self.map(m)})
            self._take(f, *self._call(f, target, function, ["ptr %cpu"], skip=2, first=2))
        else:
            self._any_map(f, slot, helper, name)

    def _any_helper(self, f: Lowering, slot: int) -> None:
        """A helper whose number is known only at run time, in the register of a bare program's
        call: any that is on the machine."""
        b, whole = f.body, f.integer(f.code.insns[slot].dst)
        for r in range(1, 6):
            f.integer(r), f.pointer(r)  # before the ways part
        before = list(f.ints), list(f.ptrs)
        found = {h.id: h for h in helpers.all_helpers() if h.body is not None} | dict(self.extra)
        done, none = b.name("called"), b.name("none")
        labels = {n: b.name(h.name) for n, h in found.items()}
        ways = " ".join(f"i64 {n}, label %{label}" for n, label in labels.items())
        b.end(f"switch i64 {whole}, label %{none} [ {ways} ]")
        results = []
        for n, label in labels.items():
            f.ints[:], f.ptrs[:] = before
            b.label(label)
            self.helper(f, slot, n)
            if b.open:
                results.append(f"[ {f.integer(0)}, %{b.block} ]")
                b.jump(done)
        b.label(none)
        if f.no_such_helper(slot, whole):
            results.append(f"[ 0, %{b.block} ]")
            b.jump(done)
        b.label(done)
        f.set_result(b.op(f"phi i64 {', '.join(results)}", "result"))

    def known_map(self, f: Lowering, slot: int, register: int) -> str | None:
        """The name of the map in a register; None when the facts do not tell."""
        fact = f.fact(slot, register)
        sure = fact.kind == "map" and not fact.offset and not fact.nullable
        return fact.of if sure and fact.of in self.maps else None

    # -- maps that are known only at run time ------------------------------------------------------

    def types(self, helper: str, name: str) -> dict[int, Callable[..., Any]]:
        """An operation of maps by the type of map: of all types that a pointer of which nothing is
        known may lead to, maps in maps among them."""
        specs = [m.spec for m in self.maps.values()]
        inner = [spec.inner for spec in specs if spec.inner is not None]
        kinds = {kind.id: kind for kind in (maps.by_name(s.type) for s in specs + inner) if kind}
        return {
            number: getattr(import_module(kind.ops), name)
            for number, kind in kinds.items()
            if kind.ops is not None and kind.takes(helper)
        }

    def check_type(self, f: Lowering, slot: int, helper: str, name: str) -> None:
        """Refuse a map in r1 that is of a type on which the helper does not work."""
        b, holds, kind = f.body, "false", self._type(f)
        for number in self.types(helper, name):
            holds = b.op(f"or i1 {holds}, {b.op(f'icmp eq i32 {kind}, {number}')}")
        f.require_valid(slot, holds, f.integer(1))

    def by_type(
        self, f: Lowering, slot: int, helper: str, name: str,
        make: Callable[[int, Callable[..., Any]], str], kind: str = "i64",
    ) -> str:  # fmt: skip
        """What `make` gives for the type of the map in r1: a value of LLVM type `kind`."""
        b, found = f.body, self.types(helper, name)
        done, none = b.name("called"), b.name("none")
        labels = {number: b.name("type") for number in found}
        ways = " ".join(f"i32 {number}, label %{label}" for number, label in labels.items())
        b.end(f"switch i32 {self._type(f)}, label %{none} [ {ways} ]")
        results = []
        for number, function in found.items():
            b.label(labels[number])
            results.append(f"[ {make(number, function)}, %{b.block} ]")
            b.jump(done)
        b.label(none)
        if f.no_such_map(slot, 1):
            results.append(f"[ {'null' if kind == 'ptr' else '0'}, %{b.block} ]")
            b.jump(done)
        b.label(done)
        if not results:
            return "null" if kind == "ptr" else "0"
        return b.op(f"phi {kind} {', '.join(results)}", "result")

    def _type(self, f: Lowering) -> str:
        """The type of the map in r1: the first member of its header."""
        return f.body.op(f"load i32, ptr {f.pointer(1)}", "type")

    def _any_map(self, f: Lowering, slot: int, helper: Helper, name: str) -> None:
        """An operation of a map that is known only at run time, as its type has it."""
        found = self.types(helper.name, name)
        if not found:
            f.no_such_map(slot, 1)
            f.set_result("0")
            return
        function = next(iter(found.values()))
        at, operands = f.pointer(1), self._operands(f, function, skip=2, first=2)
        given = ", ".join(["ptr %cpu", f"ptr {at}", *operands])
        _, result = self._params(function)
        kind = llvm(result)

        def call(number: int, function: Callable[..., Any]) -> str:
            target = self.native(f"type/{number}:{name}", function)
            return f.body.op(f"call {kind} {target}({given})", "result")

        self._take(f, self.by_type(f, slot, helper.name, name, call, kind), result)

    # -- operands and results ----------------------------------------------------------------------

    def _operands(
        self, f: Lowering, function: Callable[..., Any], skip: int, first: int
    ) -> list[str]:
        """r{first} and following as the parameters behind `skip`."""
        values = []
        for register, (_, t) in enumerate(self._params(function)[0][skip:], first):
            kind = llvm(t)
            if is_ptr(t):
                values.append(f"ptr {f.pointer(register)}")
            else:
                values.append(f"{kind} {f.narrow(register, int(kind[1:]))}")
        return values

    def _call(
        self, f: Lowering, target: str, function: Callable[..., Any], before: list[str],
        skip: int, first: int,
    ) -> tuple[str, Any]:  # fmt: skip
        """Call a compiled body; its result, "" if there is none, and the result's type."""
        _, result = self._params(function)
        values = [*before, *self._operands(f, function, skip, first)]
        call = f"call {llvm(result)} {target}({', '.join(values)})"
        if llvm(result) == "void":
            f.body.emit(call)
            return "", result
        return f.body.op(call, "result"), result

    def _take(self, f: Lowering, value: str, result: Any) -> None:
        """A result into r0."""
        if not value:
            f.set_result("0")
        elif is_ptr(result):
            f.clobber()
            f.set_pointer(0, value)
        else:
            signed = is_integer(result) and (not is_int(result) or result.signed)
            f.set_result(f.widen(value, int(llvm(result)[1:]), signed and result is not bool))
