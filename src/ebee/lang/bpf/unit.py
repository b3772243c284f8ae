"""A BPF module being compiled: programs, the functions they call, the maps and variables they use.

What nodes mean in BPF only is in `nodes`; calls in `map_calls`, `helper_calls`, `packet_calls`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import ebee
from ebee.errors import CompileError
from ebee.hooks import Hook
from ebee.lang import memory
from ebee.lang.bpf import (
    arguments,
    contexts,
    contracts,
    exceptions,
    iterators,
    long_loops,
    nodes,
    signatures,
)
from ebee.lang.bpf.contexts import Context
from ebee.lang.bpf.core_records import Records
from ebee.lang.bpf.debug import WHOLE, Debug, quote
from ebee.lang.bpf.declared import complete
from ebee.lang.bpf.exits import PLACE, after_call, begin_program, check
from ebee.lang.bpf.externs import Externs
from ebee.lang.bpf.kernel_types import is_kernel
from ebee.lang.bpf.maps import AnyMap, RingBuf
from ebee.lang.bpf.maps_kernel import UserRingBuf
from ebee.lang.bpf.maps_more import PerfEventArray
from ebee.lang.bpf.programs import Program, marks
from ebee.lang.bpf.scopes import leave
from ebee.lang.bpf.variables import Variable, find
from ebee.lang.compiler import StackError
from ebee.lang.errors import Refusal, at
from ebee.lang.function import Function, Loop
from ebee.lang.ir import Body, symbol
from ebee.lang.source import Source, source_of
from ebee.lang.static import static_in
from ebee.lang.target import BPF
from ebee.lang.unit import Job, Specialised, Unit, signature_of
from ebee.lang.values import (
    NONE,
    Constant,
    FnType,
    TupleType,
    Value,
    is_int,
    is_struct,
    name_of,
)
from ebee.types import PtrType, alignof, i32, i64, sizeof, u8, u32, u64

REGISTERS = 5
"""Arguments that a subprogram can take."""

ROUNDS = 1 << 16
"""Rounds of a loop: the verifier gives up after a million instructions."""


_ONLY_BPF = "programs call @func functions, methods of maps and packets, and helpers: bpf.NAME()"
_INSTEAD = {
    "time": "ask the kernel: bpf.ktime_get_ns()",
    "random": "ask the kernel: bpf.get_prandom_u32()",
    "posix": "ask the kernel: bpf.get_current_pid_tgid(), bpf.get_current_uid_gid(), ...",
    "socket": "packets are parsed: packet = ctx.packet(), and be16, be32 members swap bytes",
}
"""Module of Python's own -> what programs do instead."""


@dataclass(frozen=True)
class Entry:
    """A program to compile: its function, what its decorator noted, and the class that it is an
    operation of."""

    function: Callable[..., Any]
    program: Program
    owner: str = ""

    @property
    def name(self) -> str:
        own = self.function.__name__
        return f"{self.owner}_{own}" if self.owner else own


class BpfUnit(Unit):
    """`licence`: of the module; GPL-only helpers need a GPL-compatible one."""

    handlers = nodes.HANDLERS

    def __init__(self, licence: str) -> None:
        super().__init__(BPF)
        self.debug = Debug()
        self.core = Records(self.debug)
        self.externs = Externs()
        self.scratch: dict[Body, str] = {}
        """Of functions that read the kernel's memory: where to."""
        self.licence = licence
        self._handler = ""
        """What runs when the program throws."""
        self.hook: Hook
        """The hook of the program that is being compiled."""
        self.attach_type: int | None = None
        self.record: Any = None
        """The @struct that it is given, where its context is one."""
        self.maps: dict[str, AnyMap[Any, Any]] = {}
        self.variables: dict[str, Variable] = {}
        self.globals: list[str] = []
        self.used: list[str] = []
        self._scopes: dict[Function, str] = {}
        self._defined: dict[str, Function] = {}
        self._entries: dict[Any, Entry] = {}
        self._called_back: dict[Any, str] = {}
        """Symbols of functions that the kernel is given the address of."""
        self._texts: dict[bytes, str] = {}
        self._programs: set[Function] = set()
        self._separate: set[Function] = set()
        self._parts: dict[str, str] = {}
        """Scopes of parts of functions that are functions of their own."""
        self._arguments: dict[Function, int] = {}
        """Of subprograms: how many."""

    # --- programs and functions ------------------------------------------------------------------

    def program(self, entry: Entry) -> None:
        """Compile a program."""
        source = source_of(entry.function)
        self.debug.file(source)
        self.hook, self.attach_type = entry.program.hook, entry.program.attach_type
        signatures.check(entry.program, source)
        self._entries[entry.function] = entry
        params = signature_of(entry.function)[0]
        given = tuple(Value(t, "") for _, t in params)
        record = signatures.form_of(self.hook) == signatures.RECORD
        self.record = params[0][1] if record else None
        if entry.name in self._names:
            raise CompileError(f"{source.file}: two functions are called {entry.name}")
        self._handler = self._exception_callback(entry.function)
        job = Job(entry.function, given, (False,) * len(params), entry.name, "external", None)
        self._done[job.key] = self._compile(job)
        self.used.append(symbol(entry.name))

    def _exception_callback(self, function: Callable[..., Any]) -> str:
        """The name of what runs when a program throws, compiled; "" where nothing does."""
        handler = getattr(function, "__exception__", None)
        if handler is None:
            return ""
        params, result = signature_of(handler)
        exceptions.check(source_of(handler), params, result)
        given = tuple(Value(t, "") for _, t in params)
        return self._compiled(Job(handler, given, (False,) * len(given))).symbol[1:].strip('"')

    def _is_inline(self, function: Callable[..., Any]) -> bool:
        return bool(getattr(function, "__inline__", True))

    def begin(self, f: Function, job: Job) -> None:
        params, result = job.signature
        free = [p for p, b in zip(params, job.bound, strict=True) if not b]
        if f.unit.by_place(job.function, result):
            free.insert(0, ("result", PtrType(result) if is_struct(result) else PtrType(u8)))
            result = NONE.type
        own = job.function in self._entries
        notes: dict[str, tuple[str, ...]] = {}
        if own and self._handler:
            notes[WHOLE] = (exceptions.TAG + self._handler,)
        if own:
            self._programs.add(f)
            if result is NONE.type:
                result, f.void = i32, "i32"
            f.result = i64 if f.result is int else f.result  # any number
            if signatures.form_of(self.hook) not in (signatures.SLOTS, signatures.FREE):
                f.kept = u32  # of which the kernel takes the lower half
            if not self._is_free(job):
                free = [("ctx", PtrType(self._context(params)))]
        if not own and (job.linkage == "callback" or not self._is_inline(job.function)):
            self._check_subprogram(f, free)
            if _is_separate(job.function):
                self._separate.add(f)
                notes |= self._contract(f, free)
            f.void = "i64"  # the verifier looks at r0: no address of the stack may be left there
        known = own or _is_separate(job.function)
        scope = self.debug.function(f.source, job.name, result, free, known, notes)
        self._scopes[f] = scope
        f.body.where = self.where(f, f.source.tree)
        for name in _globals(f.source.tree):
            f.writes = {n: w for n, w in f.writes.items() if n != name}

    def _is_free(self, job: Job) -> bool:
        """Whether a program's parameters are those of a function that it replaces."""
        program = self._entries[job.function].program
        return signatures.form_of(program.hook) == signatures.FREE

    def _context(self, params: list[tuple[str, Any]]) -> Any:
        """The type of a program's context."""
        t = params[0][1] if params else u64
        if is_struct(t) and signatures.form_of(self.hook) in signatures.WHOLE:
            return t
        if is_struct(t) and issubclass(t, Context):
            return t
        return getattr(contexts, signatures.context_of(self.hook))

    def bind(self, f: Function, job: Job) -> list[str]:
        """Programs with arguments fetch them from their context."""
        entry = self._entries.get(job.function)
        whole = (*signatures.WHOLE, signatures.FREE)
        if entry is None or signatures.form_of(entry.program.hook) in whole:
            shown = super().bind(f, job)
            contracts.begin(f, job.signature[0])
            return shown
        return [arguments.bind(f, entry.program, job.signature[0])]

    def for_constants(self, function: Callable[..., Any]) -> bool:
        return not _is_separate(function)

    def _contract(self, f: Function, params: list[tuple[str, Any]]) -> dict[str, tuple[str, ...]]:
        """What the verifier is told of the parameters of a function that it checks by itself."""
        if not (is_int(f.result) or f.result in (int, bool)):
            message = f"a separate function returns a number, not a `{name_of(f.result)}`"
            raise at(f.source, f.source.tree.returns or f.source.tree, Refusal(message, "-> u64"))
        notes = {}
        for (name, t), node in zip(params, f.source.tree.args.args, strict=True):
            try:
                notes[name] = contracts.tags(name, t, self.record)
            except Refusal as refusal:
                raise at(f.source, node, refusal) from None
        return notes

    def _check_subprogram(self, f: Function, free: list[tuple[str, Any]]) -> None:
        way_out = "leave @func(inline=False) away: then it becomes part of its callers"
        self._arguments[f] = len(free)
        if len(free) > REGISTERS:
            message = f"a subprogram takes at most {REGISTERS} arguments, not {len(free)}"
            raise f.error(f.source.tree, message, f"pass a struct, or {way_out}")
        if any(isinstance(t, FnType) for _, t in free):
            raise f.error(f.source.tree, "a subprogram that takes a function", way_out)

    def definition(self, f: Function, job: Job, parameters: str) -> str:
        scope = self._scopes[f]
        self._defined[job.name] = f
        entry = self._entries.get(job.function)
        result = f.returns
        if entry is not None:
            kind, more = "dso_local", f" section {quote(entry.program.section)}"
        else:
            # weak: callers may reckon with nothing of what is inside, which others may replace
            kind, more = "weak dso_local" if _is_separate(job.function) else "internal", ""
        inline = self._is_inline(job.function) and job.linkage != "callback"
        how = "" if entry else " alwaysinline" if inline else " noinline"
        head = f"define {kind} {result} {symbol(job.name)}({parameters}) nounwind{how}"
        if how == " noinline":  # nothing gives or takes away results, see `begin`
            self.used.append(symbol(job.name))
        return f'{head} "no-builtins"{more} !dbg {scope} {{\n{f.body.text()}\n}}'

    def name(self, job: Job) -> str:
        base = name = job.function.__name__
        count = 1
        while name in self._names or name in self.maps or name in self.variables:
            count += 1
            name = f"{base}_{count}"
        return name

    def is_entry(self, f: Function) -> bool:
        """Whether a function is a program."""
        return f in self._programs

    def hidden(self, f: Function) -> list[str]:
        if self.is_entry(f):
            begin_program(f)
            return []
        if f.raises and f in self._separate:
            raise f.error(
                f.source.tree,
                "a separate function cannot raise",
                "return what is wrong, or (since Linux 6.7) raise Throw(1)",
            )
        if f.raises and self._arguments.get(f) == REGISTERS:
            message = f"a subprogram that raises takes at most {REGISTERS - 1} arguments"
            raise f.error(f.source.tree, message, "pass a struct")
        return [f"ptr {PLACE}"] if f.raises else []

    def after_call(self, f: Function, target: Specialised) -> None:
        if target.raises:
            after_call(f)

    def by_place(self, function: Callable[..., Any], result: Any) -> bool:
        tuples = isinstance(result, TupleType) and not self._is_inline(function)
        return tuples or super().by_place(function, result)

    def refined(
        self, function: Callable[..., Any], params: Mapping[str, Any], values: Mapping[str, Value]
    ) -> dict[Any, Any]:
        """Pointers into the kernel are read directly where all arguments of a type are."""
        if _is_separate(function):
            return contracts.trusted(params, values)
        ways: dict[Any, set[Any]] = {}
        for name, t in params.items():
            if isinstance(t, PtrType) and is_kernel(t.to):
                ways.setdefault(t, set()).add(values[name].type.to)
        return {t: type(t)(to.pop()) for t, to in ways.items() if to == {t.to.trusted}}

    def check_decorators(self, source: Source) -> None:
        member = hasattr(source.function, "__struct__")
        for node in source.tree.decorator_list:
            called = node.func if isinstance(node, ast.Call) else node
            thing = static_in(source, called)
            if thing in marks() or (member and thing in (property, staticmethod)):
                continue
            if isinstance(called, ast.Attribute) and called.attr == "entry":
                continue  # of a ProgArray
            way_out = "compile a function without it"
            raise at(source, node, Refusal(f"the decorator `{ast.unparse(node)}`", way_out))

    def stack_error(self, error: StackError) -> CompileError:
        """An error of the stack, with its place in the source."""
        f = self._defined.get(error.function)
        if f is None:
            return error
        parts = ", ".join(f"{name} {size}" for name, size in sorted(error.slots))
        message = f"{error}, {BPF.stack} are possible: {parts}"
        way_out = "keep large ones in a map: PerCpuArray[...](max_entries=1) and lookup(0)"
        return at(f.source, f.source.tree, Refusal(message, way_out))

    # --- hooks of the front end ------------------------------------------------------------------

    mark = "@func"

    def instead(self, thing: Any) -> str:
        module = getattr(thing, "__module__", None) or ""
        return _INSTEAD.get(module.partition(".")[0], _ONLY_BPF)

    def where(self, f: Function, node: ast.AST) -> str:
        scope = self._scopes.get(f)
        line = getattr(node, "lineno", 0)
        if scope is None or not line:
            return f.body.where
        return f", !dbg {self.debug.place(scope, line, getattr(node, 'col_offset', 0) + 1)}"

    def call(self, f: Function, node: ast.Call, thing: Any) -> Value | None:
        return nodes.call(f, node, thing)

    def place(self, f: Function, node: ast.expr) -> tuple[Value, bool] | None:
        return nodes.place(f, node)

    def contains(self, f: Function, x: Value, node: ast.expr) -> Value | None:
        return nodes.contains(f, x, node)

    def assign(self, f: Function, name: str, value: Value) -> bool:
        if name in f.writes:
            return False
        variable = self.variable(f, name)
        if variable is None:
            raise Refusal(
                f"`{name}` is a constant of the module",
                f"declare it as a variable: {name}: Global[u64] = 0",
            )
        if variable.const:
            raise Refusal(
                f"`{name}` is Const: it is set before the program is loaded",
                f"{name}: Global[{name_of(variable.type)}] can change",
            )
        memory.store(f.body, self.address(variable), value)
        return True

    def store(self, f: Function, target: ast.expr, value: Value) -> bool:
        return nodes.store_item(f, target, value)

    def check(self, f: Function, holds: Value) -> None:
        check(f, holds)

    def unset(self, f: Function, name: str) -> None:
        if find_variable(f, name) is not None:
            raise Refusal(
                f"`{name}` is assigned here, so Python takes it for a local variable",
                f"begin the function with: global {name}",
            )

    def check_rounds(self, most: int, bounded: str = "for i in range(min(n, u32(64)))") -> None:
        if most > ROUNDS:
            raise Refusal(
                f"the loop may run {most} times: the kernel follows every round, at most {ROUNDS}",
                f"bound it: {bounded}",
            )

    def for_loop(self, f: Function, node: ast.For) -> bool:
        return long_loops.over_map(f, node) or iterators.over(f, node)

    def long_loop(self, f: Function, node: ast.For, start: Value, stop: Value, step: int) -> bool:
        return long_loops.over_numbers(f, node, start, stop, step)

    def called_back(self, function: Callable[..., Any]) -> str:
        """The symbol of a function whose address the kernel is given. It runs when the kernel calls
        it, not here: also one that is being compiled may be given, as by a timer's own function."""
        if function not in self._called_back:
            params, _ = signature_of(function)
            arguments = tuple(Value(t, "") for _, t in params)
            job = Job(function, arguments, (False,) * len(params), linkage="callback")
            job = replace(job, name=self.name(job))
            self._called_back[function] = symbol(job.name)
            active, self._active = self._active, []
            try:
                self._compile(job)
            finally:
                self._active = active
        return self._called_back[function]

    # --- functions that the kernel calls ---------------------------------------------------------

    def callback_name(self, f: Function) -> str:
        """A new name for a part of a function."""
        count = 1
        while (name := f"{f.source.name}_loop{count}") in self._names:
            count += 1
        self._names.add(name)
        return name

    @contextmanager
    def callback_scope(self, f: Function, name: str, arguments: int) -> Iterator[None]:
        """Places in the source are those of a function of its own."""
        before, where = self._scopes[f], f.body.where
        params = [
            (f"given{i}", PtrType(u8) if i or arguments > 2 else u64) for i in range(arguments)
        ]
        self._scopes[f] = self._parts[name] = self.debug.function(
            f.source, name, i64, params, False
        )
        f.body.where = self.where(f, f.source.tree)
        try:
            yield
        finally:
            self._scopes[f] = before
            f.body.where = where

    def add_callback(self, name: str, kinds: list[str], parameters: list[str], text: str) -> None:
        """A function whose body has been lowered."""
        shown = ", ".join(f"{k} {p}" for k, p in zip(kinds, parameters, strict=True))
        self.module.functions[name] = (
            f"define internal i64 {symbol(name)}({shown}) nounwind noinline"
            f' "no-builtins" !dbg {self._parts[name]} {{\n{text}\n}}'
        )
        self.used.append(symbol(name))

    def leave(self, f: Function, loop: Loop | None) -> None:
        leave(f, loop)

    # --- maps and variables ----------------------------------------------------------------------

    def map(self, name: str, m: AnyMap[Any, Any]) -> str:
        """The symbol of a map, which `name` refers to in the source."""
        m.name = m.name or name
        before = self.maps.setdefault(m.name, m)
        if before is not m:
            raise Refusal(f"two maps are called {m.name!r}", "rename one of them")
        return symbol(m.name)

    def variable(self, f: Function, name: str) -> Variable | None:
        """The variable of the module that a name means in a function."""
        return self.variable_in(f.source.function.__globals__, name)

    def variable_in(self, space: dict[str, Any], name: str) -> Variable | None:
        """The variable that a name means in a module's namespace."""
        found = _find(space, name)
        if found is None:
            return None
        before = self.variables.setdefault(found.name, found)
        if before != found:
            raise Refusal(f"two variables are called {found.name!r}", "rename one of them")
        return found

    def all_variables(self, space: dict[str, Any]) -> None:
        """Take in the variables of a module, whether they are used or not."""
        for name in list(space):
            try:
                found = None if name.startswith("_") else find(space, name)
            except TypeError as e:
                raise CompileError(f"{space.get('__file__', 'module')}: {e}") from None
            if found is not None:
                self.variables.setdefault(name, found)

    def address(self, variable: Variable) -> Value:
        """The address of a variable."""
        t = PtrType(variable.type)
        return Value(t, symbol(variable.name), align=_alignment(variable), volatile=variable.const)

    def constant_bytes(self, data: bytes) -> str:
        """The symbol of bytes in .rodata that nothing changes."""
        if data not in self._texts:
            name = f"@.bytes.{len(self._texts)}"
            self._texts[data] = name
            self.globals.append(
                f"{name} = private constant [{len(data)} x i8] {_bytes(data)},"
                ' section ".rodata", align 1'
            )
        return self._texts[data]

    # --- the text --------------------------------------------------------------------------------

    def text(self) -> str:
        """The whole module as IR; once, at the end."""
        for name, m in self.maps.items():
            self._define_map(name, m)
        for variable in self.variables.values():
            self._define_variable(variable)
        if self.licence:
            data = self.licence.encode() + b"\0"
            self.globals.append(
                f"@LICENSE = dso_local global [{len(data)} x i8] {_bytes(data)},"
                ' section "license", align 1'
            )
            self.used.append("@LICENSE")
        used = ", ".join(f"ptr {u}" for u in self.used)
        keep = f"@llvm.compiler.used = appending global [{len(self.used)} x ptr] [{used}]"
        producer = f"ebee {ebee.__version__}"
        declared = self.externs.text(self.core)
        records, functions = self.core.finish("\n".join(self.module.functions.values()))
        parts = [
            *self.module.declarations.values(), *self.globals, *declared, *records,
            f'{keep}, section "llvm.metadata"', functions, self.debug.text(producer),
        ]  # fmt: skip
        return "\n".join(parts)

    def _define_map(self, name: str, m: AnyMap[Any, Any]) -> None:
        kind, members = self.debug.map(m)
        number = self.debug.variable(name, kind)
        self.globals.append(
            f"{symbol(name)} = dso_local global [{members} x ptr] zeroinitializer,"
            f' section ".maps", align 8, !dbg {number}'
        )
        self.used.append(symbol(name))
        if isinstance(m, RingBuf | PerfEventArray | UserRingBuf):  # keeps the records' type
            pointer = self.debug.pointer(self.debug.const(self.debug.type(m.value)))
            number = self.debug.variable(f"{name}_type", pointer)
            self.globals.append(
                f"{symbol(f'{name}_type')} = dso_local global ptr null, align 8, !dbg {number}"
            )

    def _define_variable(self, v: Variable) -> None:
        kind = self.debug.type(v.type)
        number = self.debug.variable(v.name, self.debug.const(kind) if v.const else kind)
        what = "constant" if v.const else "global"
        self.globals.append(
            f"{symbol(v.name)} = dso_local {what} [{len(v.data)} x i8] {_bytes(v.data)},"
            f' section "{v.section}", align {_alignment(v)}, !dbg {number}'
        )
        self.used.append(symbol(v.name))


def _is_separate(function: Any) -> bool:
    return bool(getattr(function, "__separate__", False))


def _alignment(v: Variable) -> int:
    return max(alignof(v.type), 8 if sizeof(v.type) >= 8 else 1)


def _bytes(data: bytes) -> str:
    if not any(data):
        return "zeroinitializer"
    return 'c"' + "".join(f"\\{b:02X}" for b in data) + '"'


def find_variable(f: Function, name: str) -> Variable | None:
    """The Const or Global that a name means in a function."""
    return _find(f.source.function.__globals__, name)


def _find(space: dict[str, Any], name: str) -> Variable | None:
    try:
        return find(space, name)
    except TypeError as e:
        raise Refusal(str(e)) from None


def _globals(tree: ast.FunctionDef) -> set[str]:
    """Names that `global` statements of a function list."""
    return {n for node in ast.walk(tree) if isinstance(node, ast.Global) for n in node.names}


def map_value(f: Function, name: str, m: AnyMap[Any, Any]) -> Value:
    """A map as an operand, for calls of its methods and of functions that take it."""
    unit = f.unit
    assert isinstance(unit, BpfUnit)
    complete(f.source.function.__globals__, name, m)
    return Value(Constant(m), unit.map(name, m))


__all__ = ["BpfUnit", "Entry", "find_variable", "map_value"]
