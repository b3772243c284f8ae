"""What engines do themselves, as LLVM IR: tail calls, loops, walks through maps, reads that may
fail. `machine.engine_calls` is the same for the interpreter."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ebee.abi.cpu import Cpu
from ebee.abi.map import MapHeader
from ebee.lang.ir import symbol
from ebee.machine.engine_calls import E2BIG, EINVAL, LOOPS, TURNS
from ebee.machine.jit import runtime
from ebee.machine.jit.entry import GIVEN
from ebee.machine.jit.lower import Lowering
from ebee.types import offsetof

if TYPE_CHECKING:
    from ebee.machine.jit.calls import HelperCalls


def tail_call(calls: HelperCalls, f: Lowering, slot: int) -> None:
    """Go on in the program at an index of a prog_array, or here."""
    m, b = calls.known_map(f, slot, 2), f.body
    table = f.unit.external("machine.programs")
    index = f.narrow(3, 32)
    if m is not None:
        look = calls.native(f"map/{m}:tail_target", runtime.tail_target, m=calls.map(m))
        target = b.op(f"call i64 {look}(ptr %cpu, ptr {table}, i32 {index})", "target")
    else:
        look = calls.runtime("tail_target")
        values = f"ptr %cpu, ptr {f.pointer(2)}, ptr {table}, i32 {index}"
        target = b.op(f"call i64 {look}({values})", "target")
    none = b.op(f"icmp eq i64 {target}, 0")
    go, stay = b.name("tail"), b.name("none")
    b.end(f"br i1 {none}, label %{stay}, label %{go}")
    b.label(go)
    entry = b.op(f"inttoptr i64 {target} to ptr")
    context = f.pointer(1)
    given = [
        b.op(f"load ptr, ptr {b.op(f'getelementptr i8, ptr {context}, i64 {at}')}") for at in GIVEN
    ]
    f.before_return()
    values = ", ".join(f"ptr {v}" for v in ("%cpu", context, *given))
    value = b.op(f"tail call i64 {entry}({values}, i64 0, i64 0)")
    b.end(f"ret i64 {value}")
    b.label(stay)
    f.set_result("0")


# -- callbacks -------------------------------------------------------------------------------------


class Callback:
    """The function in a register: one that the facts name, or any whose address the program takes.
    No other can be called, whatever the register holds."""

    def __init__(self, f: Lowering, slot: int, register: int):
        self.f, self.slot, self.number = f, slot, f.integer(register)
        fact = f.fact(slot, register)
        known = fact.kind == "func" and not fact.offset and not fact.nullable
        self.targets = [int(fact.of)] if known else f.unit.callbacks()
        self.known = known

    def check(self) -> None:
        """Refuse what is no function, before anything is called."""
        if not self.known:
            b, holds = self.f.body, "false"
            for target in self.targets:
                holds = b.op(f"or i1 {holds}, {self._is(target)}")
            self.f.require_valid(self.slot, holds, self.number)

    def call(self, arguments: list[str]) -> str:
        """The result of a call."""
        f, b = self.f, self.f.body
        if self.known:
            return f.call_function(self.slot, self.targets[0], arguments)
        done, results = b.name("called"), []
        for target in self.targets:
            here, other = b.name("callback"), b.name("other")
            b.end(f"br i1 {self._is(target)}, label %{here}, label %{other}")
            b.label(here)
            value = f.call_function(self.slot, target, arguments)
            results.append(f"[ {value}, %{b.block} ]")
            b.jump(done)
            b.label(other)
        b.end("unreachable")
        b.label(done)
        return b.op(f"phi i64 {', '.join(results)}", "result") if results else "0"

    def _is(self, target: int) -> str:
        name = symbol(self.f.unit.name(target))
        return self.f.body.op(f"icmp eq i64 {self.number}, ptrtoint (ptr {name} to i64)")


def loop(calls: HelperCalls, f: Lowering, slot: int) -> None:
    """Call a function with 0..n-1 until it returns 1; r0 is how often it ran."""
    b, callback = f.body, Callback(f, slot, 2)
    n, context = f.narrow(1, 32), f.integer(3)
    bad_flags = b.op(f"icmp ne i64 {f.integer(4)}, 0")
    too_many = b.op(f"icmp ugt i32 {n}, {LOOPS}")
    bad = b.op(f"or i1 {bad_flags}, {too_many}")
    code = b.op(f"select i1 {bad_flags}, i64 {-EINVAL}, i64 {-E2BIG}")
    none = b.op(f"icmp eq i32 {n}, 0")
    start = b.op(f"select i1 {bad}, i64 {code}, i64 0")
    skip = b.op(f"or i1 {bad}, {none}")
    out, begin, turn, done = b.block, b.name("begin"), b.name("turn"), b.name("done")
    b.end(f"br i1 {skip}, label %{done}, label %{begin}")
    b.label(begin)
    callback.check()
    entry = b.block
    b.end(f"br label %{turn}")
    b.label(turn)
    i, following, back = "%" + b.name("i"), "%" + b.name("next"), b.name("again")
    b.emit(f"{i} = phi i64 [ 0, %{entry} ], [ {following}, %{back} ]")
    value = callback.call([i, context, "0", "0", "0"])
    b.emit(f"{following} = add i64 {i}, 1")
    b.end(f"br label %{back}")
    b.label(back)
    last = b.op(f"icmp eq i64 {following}, {b.op(f'zext i32 {n} to i64')}")
    stop = b.op(f"icmp ne i64 {value}, 0")
    over = b.op(f"or i1 {last}, {stop}")
    b.end(f"br i1 {over}, label %{done}, label %{turn}")
    b.label(done)
    f.set_result(b.op(f"phi i64 [ {start}, %{out} ], [ {following}, %{back} ]"))


# -- walks -----------------------------------------------------------------------------------------


def for_each_map_elem(calls: HelperCalls, f: Lowering, slot: int) -> None:
    """Call a function with each element of a map until it returns 1; r0 is how often it ran."""
    b, callback, m = f.body, Callback(f, slot, 2), calls.known_map(f, slot, 1)
    at, context, here = f.integer(1), f.integer(3), f.pointer(1)
    if m is None:
        calls.check_type(f, slot, "for_each_map_elem", "step")
        size, entries = _member(f, here, "key_size"), _member(f, here, "max_entries")
        most = b.op(f"mul i64 {b.op(f'zext i32 {entries} to i64')}, {TURNS}")
    else:
        size, most = str(calls.maps[m].key_size), str(TURNS * calls.maps[m].max_entries)
    bad = b.op(f"icmp ne i64 {f.integer(4)}, 0")
    out, begin, done = b.block, b.name("begin"), b.name("done")
    b.end(f"br i1 {bad}, label %{done}, label %{begin}")
    b.label(begin)
    callback.check()
    key = b.op(f"call ptr {calls.runtime('key_room')}(ptr %cpu, i32 {size})", "key")
    f.require_walk(slot, b.op(f"icmp ne ptr {key}, null"))

    def visit(which: str, ops: Any, given: str, **bind: Any) -> str:
        step = calls.native(f"{which}:step", ops.step, **bind)
        element = calls.native(f"{which}:element", ops.element, **bind)
        steps = Steps(f"{step}({given}", f"{element}(ptr %cpu, {given}", key, most)
        return _visit(f, steps, callback, at, context)

    if m is not None:
        visited = visit(f"map/{m}", calls.maps[m].ops, "", m=calls.map(m))
    else:
        visited = calls.by_type(
            f, slot, "for_each_map_elem", "step",
            lambda number, step: visit(f"type/{number}", sys.modules[step.__module__],
                                       f"ptr {here}, "),
        )  # fmt: skip
    walks = b.op(f"getelementptr i8, ptr %cpu, i64 {offsetof(Cpu, 'walks')}")
    less = b.op(f"sub i32 {b.op(f'load i32, ptr {walks}')}, 1")
    b.emit(f"store i32 {less}, ptr {walks}")
    entry = b.block
    b.jump(done)
    b.label(done)
    f.set_result(b.op(f"phi i64 [ {-EINVAL}, %{out} ], [ {visited}, %{entry} ]"))


class Steps(NamedTuple):
    """How to go through a map: calls of its operations without their last arguments, the room for
    a key, and how many elements to visit at the most."""

    step: str
    element: str
    key: str
    most: str


def _visit(f: Lowering, steps: Steps, callback: Callback, at: str, context: str) -> str:
    """The loop over the elements; how many were visited."""
    b, number = f.body, f.body.op(f"ptrtoint ptr {steps.key} to i64")
    first = b.op(f"call i64 {steps.step}i64 0)")
    none = b.op(f"icmp eq i64 {first}, 0")
    entry, turn, back, leave = b.block, b.name("turn"), b.name("again"), b.name("leave")
    b.end(f"br i1 {none}, label %{leave}, label %{turn}")
    b.label(turn)
    cursor, following = "%" + b.name("cursor"), "%" + b.name("after")
    i, count = "%" + b.name("i"), "%" + b.name("count")
    b.emit(f"{cursor} = phi i64 [ {first}, %{entry} ], [ {following}, %{back} ]")
    b.emit(f"{i} = phi i64 [ 0, %{entry} ], [ {count}, %{back} ]")
    b.emit(f"{following} = call i64 {steps.step}i64 {cursor})")
    found = b.op(f"call ptr {steps.element}i64 {cursor}, ptr {steps.key})", "value")
    value = callback.call([at, number, b.op(f"ptrtoint ptr {found} to i64"), context, "0"])
    b.emit(f"{count} = add i64 {i}, 1")
    b.end(f"br label %{back}")
    b.label(back)
    stop = b.op(f"icmp ne i64 {value}, 0")
    last = b.op(f"icmp eq i64 {following}, 0")
    many = b.op(f"icmp uge i64 {count}, {steps.most}")
    over = b.op(f"or i1 {b.op(f'or i1 {stop}, {last}')}, {many}")
    b.end(f"br i1 {over}, label %{leave}, label %{turn}")
    b.label(leave)
    return b.op(f"phi i64 [ 0, %{entry} ], [ {count}, %{back} ]", "visited")


def _member(f: Lowering, at: str, name: str) -> str:
    """A u32 of a map's header."""
    place = f.body.op(f"getelementptr i8, ptr {at}, i64 {offsetof(MapHeader, name)}")
    return f.body.op(f"load i32, ptr {place}", name)


# -- reads that may fail ---------------------------------------------------------------------------


def probe_read(calls: HelperCalls, f: Lowering, slot: int) -> None:
    """Copy from any address; where there is nothing to read, -EFAULT and zeroes."""
    _probe(calls, f, slot, runtime.probe_read)


def probe_read_str(calls: HelperCalls, f: Lowering, slot: int) -> None:
    """Copy a string from any address; its length with the NUL, or -EFAULT and zeroes."""
    _probe(calls, f, slot, runtime.probe_read_str)


def _probe(calls: HelperCalls, f: Lowering, slot: int, function: Callable[..., Any]) -> None:
    name = calls.native(f"machine.{function.__name__}", function)
    table = f.unit.external("machine.regions")
    target, size, source = f.pointer(1), f.narrow(2, 32), f.integer(3)
    own = not f.tables_know_stacks() and f.fact(slot, 3).kind == "stack"
    sure = "true" if own else "false"
    arguments = f"ptr %cpu, ptr {table}, ptr {target}, i32 {size}, i64 {source}, i1 {sure}"
    f.set_result(f.body.op(f"call i64 {name}({arguments})", "result"))


ENGINE: dict[str, Callable[[HelperCalls, Lowering, int], None]] = {
    f.__name__: f for f in (tail_call, loop, for_each_map_elem, probe_read, probe_read_str)
}
"""By the name in a helper's declaration ("engine:NAME")."""
