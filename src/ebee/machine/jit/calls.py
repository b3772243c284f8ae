"""Helper calls in compiled programs: the bodies of the declarations, compiled with the program.

A map operation is compiled for the one map that it is called with, whose layout and addresses are
constants then. What has no body (tail calls, loops) is written here as LLVM IR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ebee import helpers, maps
from ebee.abi.cpu import KEY_ROOM, Cpu
from ebee.errors import MachineError
from ebee.helpers import Helper
from ebee.helpers.nofault import byte_at
from ebee.lang.ir import Module, symbol
from ebee.lang.known import Known
from ebee.lang.target import host
from ebee.lang.unit import Spec, compile_native
from ebee.lang.unit import Unit as NativeUnit
from ebee.lang.values import is_int, is_integer, is_ptr, llvm
from ebee.machine.engine_calls import E2BIG, EINVAL, LOOPS, TURNS
from ebee.machine.jit import runtime
from ebee.machine.jit.known import known_map
from ebee.machine.jit.lower import Lowering
from ebee.machine.jit.names import entry_name as entry_name
from ebee.machine.jit.names import map_name
from ebee.machine.jit.unit import Calls
from ebee.machine.maps import MachineMap
from ebee.types import offsetof


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

    def _params(self, function: Callable[..., Any]) -> tuple[list[tuple[str, Any]], Any]:
        return self._signatures._signature(function)

    # -- calls -------------------------------------------------------------------------------------

    def helper(self, f: Lowering, slot: int, number: int | None) -> None:
        if number is None:
            raise Unsupported(f"{f.code.where(slot)}: which helper is called is known only later")
        helper = self.extra.get(number) or helpers.by_id(number)
        if helper is None or helper.body is None:
            raise Unsupported(f"{f.code.where(slot)}: helper {number} is not on the machine")
        f.check_arguments(slot, helper)
        module, _, name = helper.body.partition(":")
        if module == "engine":
            own = getattr(self, f"engine_{name}", None)
            if own is None:
                raise Unsupported(f"{f.code.where(slot)}: bpf_{helper.name} is not compiled")
            own(f, slot)
            return
        if module == "map":
            m = self.known_map(f, slot, 1)
            if m is None:
                self._call_any(f, slot, helper, name)
                return
            self._require_takes(f, slot, m, helper.name)
            function = getattr(self.maps[m].ops, name)
            params, _ = self._params(function)
            target = self.native(f"map/{m}:{name}", function, **{params[1][0]: self.map(m)})
            self._take(f, *self._call(f, target, function, ["ptr %cpu"], skip=2, first=2))
        else:
            function = getattr(import_module(module), name)
            target = self.native(f"machine.bpf_{helper.name}", function)
            self._take(f, *self._call(f, target, function, ["ptr %cpu"], skip=1, first=1))

    def known_map(self, f: Lowering, slot: int, register: int) -> str | None:
        """The name of the map in a register; None when the facts do not tell."""
        fact = f.fact(slot, register)
        return fact.of if fact.kind == "map" and fact.of in self.maps else None

    def _require_takes(self, f: Lowering, slot: int, m: str, helper: str) -> None:
        if not self.maps[m].kind.takes(helper):
            kind = self.maps[m].type
            raise Unsupported(f"{f.code.where(slot)}: {m} is a {kind} map, not for bpf_{helper}")

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

    def _call_any(self, f: Lowering, slot: int, helper: Helper, name: str) -> None:
        """An operation of a map that is known only at run time, as its type has it."""
        b, found = f.body, self.types(helper.name, name)
        if not found:
            raise Unsupported(f"{f.code.where(slot)}: no map here is for bpf_{helper.name}")
        at, done, none = f.pointer(1), b.name("called"), b.name("none")
        operands = self._operands(f, next(iter(found.values())), skip=2, first=2)
        kind = b.op(f"load i32, ptr {at}", "type")  # the first member of MapHeader
        labels = {number: b.name("type") for number in found}
        ways = " ".join(f"i32 {number}, label %{label}" for number, label in labels.items())
        b.end(f"switch i32 {kind}, label %{none} [ {ways} ]")
        results: list[tuple[str, str]] = []
        result: Any = None
        for number, function in found.items():
            b.label(labels[number])
            target = self.native(f"type/{number}:{name}", function)
            _, result = self._params(function)
            call = (
                f"call {llvm(result)} {target}({', '.join(['ptr %cpu', f'ptr {at}', *operands])})"
            )
            results.append((b.op(call, "result"), b.block))
            b.jump(done)
        b.label(none)
        if f.no_such_map(slot):
            results.append(("null" if is_ptr(result) else "0", b.block))
            b.jump(done)
        b.label(done)
        joined = ", ".join(f"[ {value}, %{block} ]" for value, block in results)
        self._take(f, b.op(f"phi {llvm(result)} {joined}", "result"), result)

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

    # -- what the engine does itself ---------------------------------------------------------------

    def engine_tail_call(self, f: Lowering, slot: int) -> None:
        m, b = self.known_map(f, slot, 2), f.body
        table = f.unit.external("machine.programs")
        index = f.narrow(3, 32)
        if m is not None:
            self._require_takes(f, slot, m, "tail_call")
            look = self.native(f"map/{m}:tail_target", runtime.tail_target, m=self.map(m))
            target = b.op(f"call i64 {look}(ptr %cpu, ptr {table}, i32 {index})", "target")
        else:
            look = self.runtime("tail_target")
            values = f"ptr %cpu, ptr {f.pointer(2)}, ptr {table}, i32 {index}"
            target = b.op(f"call i64 {look}({values})", "target")
        none = b.op(f"icmp eq i64 {target}, 0")
        go, stay = b.name("tail"), b.name("none")
        b.end(f"br i1 {none}, label %{stay}, label %{go}")
        b.label(go)
        entry = b.op(f"inttoptr i64 {target} to ptr")
        context = f.integer(1)
        f.before_return()
        value = b.op(f"tail call i64 {entry}(ptr %cpu, i64 {context}, i64 0, i64 0, i64 0, i64 0)")
        b.end(f"ret i64 {value}")
        b.label(stay)
        f.clobber()

    def engine_loop(self, f: Lowering, slot: int) -> None:
        fact, b = f.fact(slot, 2), f.body
        if fact.kind != "func" or fact.offset or fact.nullable:
            raise Unsupported(f"{f.code.where(slot)}: the callback is known only at run time")
        n, context = f.narrow(1, 32), f.integer(3)
        bad_flags = b.op(f"icmp ne i64 {f.integer(4)}, 0")
        too_many = b.op(f"icmp ugt i32 {n}, {LOOPS}")
        bad = b.op(f"or i1 {bad_flags}, {too_many}")
        code = b.op(f"select i1 {bad_flags}, i64 {-EINVAL}, i64 {-E2BIG}")
        none = b.op(f"icmp eq i32 {n}, 0")
        start = b.op(f"select i1 {bad}, i64 {code}, i64 0")
        skip = b.op(f"or i1 {bad}, {none}")
        before = b.block
        turn, done = b.name("turn"), b.name("done")
        b.end(f"br i1 {skip}, label %{done}, label %{turn}")
        b.label(turn)
        i, following = "%" + b.name("i"), "%" + b.name("next")
        back = b.name("again")
        b.emit(f"{i} = phi i64 [ 0, %{before} ], [ {following}, %{back} ]")
        value = f.call_function(slot, int(fact.of), [i, context, "0", "0", "0"])
        b.emit(f"{following} = add i64 {i}, 1")
        b.end(f"br label %{back}")
        b.label(back)
        limit = b.op(f"zext i32 {n} to i64")
        last = b.op(f"icmp eq i64 {following}, {limit}")
        stop = b.op(f"icmp ne i64 {value}, 0")
        over = b.op(f"or i1 {last}, {stop}")
        b.end(f"br i1 {over}, label %{done}, label %{turn}")
        b.label(done)
        result = b.op(f"phi i64 [ {start}, %{before} ], [ {following}, %{back} ]")
        f.set_result(result)

    def engine_for_each_map_elem(self, f: Lowering, slot: int) -> None:
        fact, m, b = f.fact(slot, 2), self.known_map(f, slot, 1), f.body
        if fact.kind != "func" or fact.offset or fact.nullable:
            raise Unsupported(f"{f.code.where(slot)}: the callback is known only at run time")
        if m is None or self.maps[m].key_size > KEY_ROOM:
            what = "a map that is known only at run time" if m is None else "keys so long"
            raise Unsupported(f"{f.code.where(slot)}: bpf_for_each_map_elem goes not over {what}")
        self._require_takes(f, slot, m, "for_each_map_elem")
        ops, bind = self.maps[m].ops, self.map(m)
        step = self.native(f"map/{m}:step", ops.step, m=bind)
        element = self.native(f"map/{m}:element", ops.element, m=bind)
        at, context = f.integer(1), f.integer(3)
        bad = b.op(f"icmp ne i64 {f.integer(4)}, 0")
        start = b.op(f"select i1 {bad}, i64 {-EINVAL}, i64 0")
        before, turn, done = b.name("begin"), b.name("turn"), b.name("done")
        out, back = b.block, b.name("again")
        b.end(f"br i1 {bad}, label %{done}, label %{before}")
        b.label(before)
        key = b.op(f"call ptr {self.runtime('key_room')}(ptr %cpu)", "key")
        f.require_walk(slot, b.op(f"icmp ne ptr {key}, null"))
        number = b.op(f"ptrtoint ptr {key} to i64")
        first = b.op(f"call i64 {step}(i64 0)")
        none = b.op(f"icmp eq i64 {first}, 0")
        entry, leave = b.block, b.name("leave")
        b.end(f"br i1 {none}, label %{leave}, label %{turn}")
        b.label(turn)
        cursor, following = "%" + b.name("cursor"), "%" + b.name("after")
        i, count = "%" + b.name("i"), "%" + b.name("count")
        b.emit(f"{cursor} = phi i64 [ {first}, %{entry} ], [ {following}, %{back} ]")
        b.emit(f"{i} = phi i64 [ 0, %{entry} ], [ {count}, %{back} ]")
        b.emit(f"{following} = call i64 {step}(i64 {cursor})")
        found = b.op(f"call ptr {element}(ptr %cpu, i64 {cursor}, ptr {key})", "value")
        given = [at, number, b.op(f"ptrtoint ptr {found} to i64"), context, "0"]
        value = f.call_function(slot, int(fact.of), given)
        b.emit(f"{count} = add i64 {i}, 1")
        b.end(f"br label %{back}")
        b.label(back)
        stop = b.op(f"icmp ne i64 {value}, 0")
        last = b.op(f"icmp eq i64 {following}, 0")
        many = b.op(f"icmp eq i64 {count}, {TURNS * self.maps[m].max_entries}")
        over = b.op(f"or i1 {b.op(f'or i1 {stop}, {last}')}, {many}")
        b.end(f"br i1 {over}, label %{leave}, label %{turn}")
        b.label(leave)
        visited = b.op(f"phi i64 [ 0, %{entry} ], [ {count}, %{back} ]")
        walks = b.op(f"getelementptr i8, ptr %cpu, i64 {offsetof(Cpu, 'walks')}")
        less = b.op(f"sub i32 {b.op(f'load i32, ptr {walks}')}, 1")
        b.emit(f"store i32 {less}, ptr {walks}")
        b.jump(done)
        b.label(done)
        f.set_result(b.op(f"phi i64 [ {start}, %{out} ], [ {visited}, %{leave} ]"))

    def engine_probe_read(self, f: Lowering, slot: int) -> None:
        self._probe(f, slot, runtime.probe_read)

    def engine_probe_read_str(self, f: Lowering, slot: int) -> None:
        self._probe(f, slot, runtime.probe_read_str)

    def _probe(self, f: Lowering, slot: int, function: Callable[..., Any]) -> None:
        name = self.native(f"machine.{function.__name__}", function)
        table = f.unit.external("machine.regions")
        target, size, source = f.pointer(1), f.narrow(2, 32), f.integer(3)
        own = not f.tables_know_stacks() and f.fact(slot, 3).kind == "stack"
        sure = "true" if own else "false"
        arguments = f"ptr %cpu, ptr {table}, ptr {target}, i32 {size}, i64 {source}, i1 {sure}"
        f.set_result(f.body.op(f"call i64 {name}({arguments})", "result"))
