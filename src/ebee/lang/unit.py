"""A compilation unit: functions and all they call, each once per set of constants."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from ebee.errors import CompileError
from ebee.lang import expressions, memory, statements
from ebee.lang.errors import Refusal, at
from ebee.lang.function import Function, Loop
from ebee.lang.ir import FunctionType, Module, symbol
from ebee.lang.known import Known
from ebee.lang.source import Source, is_native, source_of
from ebee.lang.static import static_in
from ebee.lang.target import Target, host
from ebee.lang.values import (
    NONE,
    Constant,
    FnType,
    FunctionRef,
    MaybePtr,
    TupleType,
    Type,
    Value,
    constant,
    held,
    is_int,
    is_integer,
    is_ptr,
    is_struct,
    llvm,
    name_of,
    normal,
    span,
)
from ebee.native import native
from ebee.types import PtrType

del expressions, statements  # imported for their handlers
EXTERNAL = {
    "bcmp": "declare i32 @bcmp(ptr, ptr, i64) nounwind memory(argmem: read)",
    "clock_gettime": "declare i32 @clock_gettime(i32, ptr) nounwind",
}


SMALL = 80
"""Functions of this many lines of IR and less are inlined at every level: a map lookup with all
that it calls, so that its key stays in registers."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A function to compile and export.

    `name`: the symbol, by default module and function. `bind`: parameters that are constants and
    leave the signature: an int, a Known object, or another @native function. `inline`: "always",
    "hint", "never" or None.
    """

    function: Callable[..., Any]
    name: str | None = None
    bind: Mapping[str, int | Known | Callable[..., Any]] = field(default_factory=dict)
    inline: str | None = None


@dataclass(frozen=True, slots=True)
class Specialised:
    """A function compiled for a set of constants; `bound`: which parameters those took."""

    symbol: str
    bound: tuple[bool, ...]
    result: Type
    returns: str = ""
    by_place: bool = False
    raises: bool = False
    """`returns`: what LLVM gives; `by_place`: the result goes where the first, hidden argument
    points to; `raises`: it may end the program."""


@dataclass(frozen=True, slots=True)
class Job:
    """A function to compile for the constants among its arguments."""

    function: Callable[..., Any]
    arguments: tuple[Value, ...]
    bound: tuple[bool, ...]
    name: str = ""
    linkage: str = "internal"
    inline: str | None = "hint"
    types: tuple[tuple[Type, Type], ...] = ()
    """What type variables stand for."""

    @property
    def signature(self) -> tuple[list[tuple[str, Type]], Type]:
        """The function's parameters and result for these types."""
        params, result = signature_of(self.function)
        types = dict(self.types)
        of = types.get(result, result) if isinstance(result, TypeVar) else result
        return [(n, types.get(t, t)) for n, t in params], of

    @property
    def key(self) -> Any:
        """What distinguishes the results of two jobs."""
        return (
            self.function,
            self.types,
            tuple(
                (v.type, v.constant, v.known, v.at, v.text == "null", v.member) if b else v.member
                for v, b in zip(self.arguments, self.bound, strict=True)
            ),
        )


_INLINE = {None: "", "always": " alwaysinline", "hint": " inlinehint", "never": " noinline"}


class Unit:
    """Functions being compiled into one module."""

    def __init__(self, target: Target, external: Mapping[Any, str] | None = None):
        self.target, self.external = target, external or {}
        self.module = Module()
        self._done: dict[Any, Specialised] = {}
        self._exports: dict[Any, Job] = {}
        self._names: set[str] = set()
        self._active: list[Any] = []
        self._symbols: dict[str, Known] = {}

    handlers: Mapping[type[ast.AST], Callable[[Function, Any], Any]] = {}
    """Kinds of nodes that mean something else, or something at all, on this target."""

    mark = "@native"
    """The decorator of functions that may be called."""

    def instead(self, thing: Any) -> str:
        """What to call instead of something that only Python has."""
        return "call @native functions and intrinsics"

    def where(self, f: Function, node: ast.AST) -> str:
        """What follows the instructions of a node, for debuggers."""
        return ""

    def call(self, f: Function, node: ast.Call, thing: Any) -> Value | None:
        """A call that only this target knows; `thing`: what is called, where that is static."""
        return None

    def place(self, f: Function, node: ast.expr) -> tuple[Value, bool] | None:
        """An address that only this target knows, and whether what is there never changes."""
        return None

    def contains(self, f: Function, x: Value, node: ast.expr) -> Value | None:
        """`x in container` where only this target knows the container."""
        return None

    def assign(self, f: Function, name: str, value: Value) -> bool:
        """An assignment to what is no local variable; whether it was one."""
        return False

    def store(self, f: Function, target: ast.expr, value: Value) -> bool:
        """An assignment to a place that has no address; whether it was one."""
        return False

    def check(self, f: Function, holds: Value) -> None:
        """Go on only if something holds."""
        raise Refusal("this may fail, and nothing could be done about it", "test it first")

    def unset(self, f: Function, name: str) -> None:
        """Say more of a variable that is read before it has a value, by a Refusal."""

    def check_rounds(self, most: int, bounded: str = "") -> None:
        """Refuse a loop that may run too often."""

    def for_loop(self, f: Function, node: ast.For) -> bool:
        """A loop over what only this target can go over; whether it was one."""
        return False

    def long_loop(
        self, f: Function, node: ast.For, start: Value, stop: Value, step: int
    ) -> bool:  # fmt: skip
        """A loop of too many rounds for this target; whether it was one."""
        return False

    def leave(self, f: Function, loop: Loop | None) -> None:
        """Before control leaves a loop, or (None) the function, from inside."""

    def refined(
        self, function: Callable[..., Any], params: Mapping[str, Type], values: Mapping[str, Value]
    ) -> dict[Type, Type]:
        """What types of parameters are, more exactly, for these arguments."""
        return {}

    def parameters(self, function: Callable[..., Any]) -> list[tuple[str, Type]]:
        """Names and types of the parameters."""
        return signature_of(function)[0]

    @staticmethod
    def _signature(function: Callable[..., Any]) -> tuple[list[tuple[str, Type]], Type]:
        return signature_of(function)

    # --- specialisation --------------------------------------------------------------------------

    def specialise(
        self, f: Function, node: ast.AST, function: Callable[..., Any],
        arguments: Sequence[Value], types: Mapping[Type, Type] = {},
    ) -> Specialised:  # fmt: skip
        """A function as called with these arguments: constants among them become part of it."""
        apart = self.for_constants(function)
        if not apart:
            arguments = [v._replace(member=0) for v in arguments]
        bound = tuple(_bound(v) and apart for v in arguments)
        if any(function is active for active in self._active):
            message = f"`{function.__name__}` calls itself"
            raise at(f.source, node, Refusal(message, "write a loop: the stack is bounded"))
        return self._compiled(Job(function, tuple(arguments), bound, types=tuple(types.items())))

    def export(self, specs: Sequence[Spec], linkage: str) -> None:
        """Compile functions for callers outside. They may also call each other."""
        jobs = [self._job(spec, linkage) for spec in specs]
        for job in jobs:
            if job.name in self.module.exports:
                raise CompileError(f"two functions are called @{job.name}; give one another name")
            self._exports.setdefault(job.key, job)
            self.module.exports[job.name] = FunctionType((), None, "")
        for job in jobs:
            done = self._compiled(job)
            if done.symbol != symbol(job.name):  # the same function under a second name
                done = self._compile(job)
            params = self.parameters(job.function)
            free = tuple(p for p, b in zip(params, job.bound, strict=True) if not b)
            text = f"{llvm(done.result)} ({', '.join(llvm(t) for _, t in free)})"
            self.module.exports[job.name] = FunctionType(free, done.result, text)

    def _job(self, spec: Spec, linkage: str) -> Job:
        params = self.parameters(spec.function)
        name = spec.name or default_name(spec.function)
        unknown = spec.bind.keys() - {n for n, _ in params}
        if unknown:
            raise CompileError(f"{name} has no parameter {sorted(unknown)[0]!r} to bind")
        arguments = tuple(
            _constant_argument(name, p, t, spec.bind[p]) if p in spec.bind else Value(t, "")
            for p, t in params
        )
        bound = tuple(p in spec.bind for p, _ in params)
        return Job(spec.function, arguments, bound, name, linkage, spec.inline)

    def _compiled(self, job: Job) -> Specialised:
        """The result of a job, done now if it has not been."""
        if job.key not in self._done:
            exported = self._exports.get(job.key)
            if exported is None:
                name = self.name(job)
                job = replace(job, name=name)
            self._done[job.key] = self._compile(exported or job)
        return self._done[job.key]

    def _compile(self, job: Job) -> Specialised:
        result = job.signature[1]
        self._names.add(job.name)
        source = source_of(job.function)
        self.check_decorators(source)
        f = Function(self, source, result)
        self.begin(f, job)
        self._active.append(job.function)
        try:
            return self._lowered(f, job)
        finally:
            self._active.pop()

    def _lowered(self, f: Function, job: Job) -> Specialised:
        result, shown = job.signature[1], []
        if self.by_place(job.function, result):
            f.result_at = "%" + f.body.name("result")
            shown.append(f"ptr {f.result_at}")
            f.body.types[f.result_at] = "ptr"
        shown += self.bind(f, job)
        f.block(f.source.tree.body)
        _finish(f)
        f.close()
        shown += self.hidden(f)
        self.module.functions[job.name] = self.definition(f, job, ", ".join(shown))
        ways = f.returns, bool(f.result_at), f.raises
        return Specialised(symbol(job.name), job.bound, result, *ways)

    def bind(self, f: Function, job: Job) -> list[str]:
        """Give the parameters their values: LLVM's parameters, in its words."""
        shown = []
        params, _ = job.signature
        for (param, t), argument, bound in zip(params, job.arguments, job.bound, strict=True):
            value = argument
            if bound:
                self._declare(argument.known)
            else:
                text = "%" + f.body.name(param)
                shown.append(f"{llvm(t)} {text}")
                f.body.types[text] = llvm(t)
                maybe = int(isinstance(t, MaybePtr))
                t = PtrType(t.to) if is_ptr(t) else t
                bounds, member = span(t) if is_integer(t) else (0, 0), argument.member
                value = Value(t, text, *bounds, maybe=maybe, member=member * (t is int))
            f.assign(param, value)
        return shown

    def for_constants(self, function: Callable[..., Any]) -> bool:
        """Whether a function is compiled for the constants that it is called with."""
        return True

    def hidden(self, f: Function) -> list[str]:
        """Parameters behind the others, known when the body has been lowered."""
        return []

    def after_call(self, f: Function, target: Specialised) -> None:
        """Behind the call of another function."""

    def by_place(self, function: Callable[..., Any], result: Type) -> bool:
        """Whether a result is stored where the caller wants it."""
        return is_struct(result)

    def name(self, job: Job) -> str:
        """A symbol for a function that is compiled for a caller here."""
        name = _mangle(job.function, job.arguments, job.bound)
        taken = self.module.functions.keys() | self.module.exports.keys() | self._names
        while name in taken:
            name += "'"
        return name

    def check_decorators(self, source: Source) -> None:
        """Only @native: what another decorator does would be lost."""
        member = hasattr(source.function, "__struct__")
        known = (native, property, staticmethod) if member else (native,)
        for node in source.tree.decorator_list:
            if static_in(source, node) not in known:
                way_out = "compile a function without it"
                raise at(source, node, Refusal(f"the decorator `{ast.unparse(node)}`", way_out))

    def begin(self, f: Function, job: Job) -> None:
        """Before a function's body is lowered."""

    def definition(self, f: Function, job: Job, parameters: str) -> str:
        """The text of a function whose body has been lowered."""
        scope = "" if job.linkage == "external" else job.linkage + " "
        kind = f"{scope}{_extension(f.result)}{f.returns}"
        inline = job.inline
        if inline == "hint" and len(f.body.lines) <= SMALL:
            inline = "always"
        head = f"define {kind} {symbol(job.name)}({parameters}) nounwind{_INLINE[inline]}"
        return f"{head} {{\n{f.body.text()}\n}}"

    def _declare(self, known: Known | None) -> None:
        """Declare the symbols of a constant object and of all it points to."""
        if known is None:
            return
        if isinstance(known.symbol, str):
            before = self._symbols.get(known.symbol)
            if before is None or not before.members:
                self._symbols[known.symbol] = known
            elif known.members and before != known:
                raise CompileError(f"two constant objects are called {known.symbol!r}")
            self.module.declarations[known.symbol] = (
                f"{symbol(known.symbol)} = external global [0 x i8], align 8"
            )
        for _, value in known.members:
            if isinstance(value, Known):
                self._declare(value)


def _extension(t: Type) -> str:
    """Narrow results are extended for callers that look at the whole register."""
    if not is_integer(t) or llvm(t) == "i64":
        return ""
    return "signext " if is_int(t) and t.signed else "zeroext "


def _bound(v: Value) -> bool:
    """Whether an argument is a constant that the callee is compiled for."""
    if is_integer(v.type):
        return v.constant is not None
    return v.known is not None or isinstance(v.type, FunctionRef | Constant) or v.text == "null"


def _finish(f: Function) -> None:
    """The end of the function, where control may arrive."""
    if f.env is None:
        return
    if f.result is not NONE.type:
        shown = ast.unparse(f.source.tree.returns) if f.source.tree.returns else name_of(f.result)
        raise f.error(
            f.source.tree, f"`{f.source.name}` may end without giving a `{shown}`",
            "return a value on every path, the last line among them",
        )  # fmt: skip
    f.ret()


_signatures: WeakKeyDictionary[Any, tuple[list[tuple[str, Type]], Type]] = WeakKeyDictionary()


def signature_of(function: Callable[..., Any]) -> tuple[list[tuple[str, Type]], Type]:
    """Names and types of a function's parameters, and the type of its result."""
    if function not in _signatures:
        _signatures[function] = _read_signature(function)
    return _signatures[function]


def _self_type(function: Any) -> Any:
    """The struct that a function is a method of, the type of its first parameter."""
    owner = getattr(function, "__struct__", None)
    static = owner is None or isinstance(vars(owner).get(function.__name__), staticmethod)
    return None if static else owner


def _read_signature(function: Callable[..., Any]) -> tuple[list[tuple[str, Type]], Type]:
    source = source_of(function)
    try:
        signature = inspect.signature(source.function, eval_str=True)
    except Exception as e:  # evaluating annotations runs any code
        raise at(source, source.tree, Refusal(f"an annotation names nothing: {e}")) from None
    nodes = {a.arg: a for a in ast.walk(source.tree.args) if isinstance(a, ast.arg)}
    params: list[tuple[str, Type]] = []
    owner = _self_type(source.function)
    for name, p in signature.parameters.items():
        node = nodes[name]
        try:
            if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                raise Refusal("a variable number of parameters", "name each parameter")
            if p.annotation is p.empty and not params and owner is not None:
                params.append((name, owner))
                continue
            if p.annotation is p.empty:
                raise Refusal(f"the parameter `{name}` has no type", f"{name}: u64")
            t = held(normal(p.annotation))
            if t is NONE.type or isinstance(t, TupleType):
                raise Refusal(f"a parameter of type `{name_of(t)}`", "use several parameters")
            params.append((name, t))
        except Refusal as refusal:
            raise at(source, node, refusal) from None
    result = signature.return_annotation
    try:
        t = NONE.type if result is signature.empty else held(normal(result))
        if isinstance(t, FnType):
            raise Refusal(f"a result of type `{name_of(t)}`", "let the caller pass a pointer")
    except Refusal as refusal:
        raise at(source, source.tree.returns or source.tree, refusal) from None
    return params, t


def _constant_argument(name: str, param: str, t: Type, given: Any) -> Value:
    """A value that a parameter is bound to."""
    if isinstance(given, Known) and (is_ptr(t) or is_struct(t)):
        return memory.known_address(t, given, 0)
    if isinstance(given, int) and is_integer(t):
        return constant(t, int(given))
    if isinstance(given, int) and is_ptr(t):
        return memory.known_address(t, Known(int(given)), 0)
    if isinstance(t, FnType):
        if is_native(given):
            return Value(FunctionRef(given), "")
        if isinstance(given, Known) and isinstance(given.symbol, str):
            return Value(t, symbol(given.symbol), known=given)
    raise CompileError(f"{name}: {param!r} is a {name_of(t)} and cannot be bound to {given!r}")


def default_name(function: Callable[..., Any]) -> str:
    """The symbol of a function that is not specialised."""
    return f"{function.__module__}.{function.__qualname__}"


def _mangle(function: Callable[..., Any], arguments: Sequence[Value], bound: Sequence[bool]) -> str:
    """The symbol of a function for constants: `$` and each of them, in order of the parameters."""
    parts = [default_name(function)]
    for value, is_bound in zip(arguments, bound, strict=True):
        if not is_bound:
            parts.append("")
        elif value.known is not None:
            parts.append(f"{value.known.symbol}+{value.at}")
        elif isinstance(value.type, FunctionRef):
            parts.append(default_name(value.type.function))
        else:
            parts.append("null" if value.text == "null" else str(value.constant))
    return "$".join(parts).rstrip("$")


def compile_native(
    specs: Sequence[Spec | Callable[..., Any]], *, target: Target | None = None,
    linkage: str = "external", external: Mapping[Callable[..., Any], str] | None = None,
) -> Module:  # fmt: skip
    """Lower functions, and all they call, to one module of LLVM IR.

    `linkage` of the exported ones: "external", or "internal" where the text becomes part of a
    larger module that calls them. `external`: functions that are not compiled but called by a
    symbol; integers go to them as 64 bits, pointers as pointers. SourceError (a CompileError)
    names file, line and column of what is not in the language.
    """
    unit = Unit(target or host(), external)
    unit.export([s if isinstance(s, Spec) else Spec(s) for s in specs], linkage)
    text = "\n".join(unit.module.functions.values())
    for name, declaration in EXTERNAL.items():
        if f"@{name}(" in text:
            unit.module.declarations[name] = declaration
    return unit.module
