"""The lowering of one function: its variables, what is known of them here, its blocks.

A variable has one type, that of its first value. Where a variable has one place of assignment,
outside of loops, its value is used as it is; all others have a slot on the stack, which LLVM turns
into registers. `env` maps each variable that certainly has a value here to what is known of it;
where control cannot come, `env` is None.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ebee.lang import arith, memory
from ebee.lang.enums import may_become
from ebee.lang.errors import Refusal, SourceError, at
from ebee.lang.ir import Body
from ebee.lang.refused import refusal_of
from ebee.lang.steps import reach, writes_in
from ebee.lang.values import (
    NONE,
    NULL,
    Constant,
    FunctionRef,
    MaybePtr,
    TupleType,
    Type,
    Value,
    fits64,
    is_int,
    is_integer,
    is_ptr,
    is_struct,
    llvm,
    member_of,
    name_of,
    span,
)
from ebee.types import PtrType

if TYPE_CHECKING:
    from ebee.lang.source import Source
    from ebee.lang.unit import Unit

Env = dict[str, Value]

EXPRESSIONS: dict[type[ast.AST], Callable[[Function, Any], Value]] = {}
STATEMENTS: dict[type[ast.AST], Callable[[Function, Any], None]] = {}
"""Handlers by kind of node, filled by the modules of the same names."""


@dataclass(slots=True)
class Variable:
    """A local variable: its type, and its slot if it has one."""

    type: Type
    slot: str | None


@dataclass(slots=True)
class Loop:
    """A loop around a statement: where `break` and `continue` go, with what is known there."""

    on_break: str
    on_continue: str
    broken: list[Env]
    continued: list[Env]


@dataclass(frozen=True, slots=True)
class Scope:
    """A block of `with`: what to do on the way out of it, and how many loops were around it.
    `name`: the hidden variable that it leaves behind, if any; `lock`: whether it holds a lock."""

    leave: Callable[[], None]
    depth: int
    name: str = ""
    lock: bool = False


class Function:
    """The state of lowering one function for one set of constants."""

    def __init__(self, unit: Unit, source: Source, result: Type):
        self.unit, self.source, self.result = unit, source, result
        self.on_return: Callable[[str], None] | None = None
        """What a return does instead, inside a loop that is a function of its own."""
        self.left = False
        """Whether there is a way out of it."""
        self.raises = False
        """Whether it may end the program that calls it."""
        self.void = "void"
        """What a function without a result gives."""
        self.result_at = ""
        """Where a result is stored that is not given back in registers."""
        self.body = Body(unit.target)
        self.env: Env | None = {}
        self.variables: dict[str, Variable] = {}
        self.loops: list[Loop] = []
        self.withs: list[Scope] = []
        """Blocks of `with` around a statement, the innermost last."""
        self.kept: Type | None = None
        """The type that constant results must fit, where that is narrower than the result's."""
        self.writes = _writes(source.tree)
        """Local variables: how many places assign each, and whether one of them is in a loop."""

    # --- the walk --------------------------------------------------------------------------------

    def value(self, node: ast.expr) -> Value:
        """Lower an expression."""
        value: Value = self._lower(EXPRESSIONS, node)
        if value.text == "null" and self.unit.target.nulls:
            return value._replace(maybe=2)
        return value

    def statement(self, node: ast.stmt) -> None:
        """Lower a statement; behind one that does not go on, nothing is emitted."""
        if self.env is not None:
            self._lower(STATEMENTS, node)

    def block(self, nodes: list[ast.stmt]) -> None:
        for node in nodes:
            self.statement(node)

    def _lower(self, table: dict[type[ast.AST], Any], node: ast.AST) -> Any:
        before, self.body.where = self.body.where, self.unit.where(self, node)
        try:
            handler = self.unit.handlers.get(type(node)) or table.get(type(node))
            if handler is None:
                raise refusal_of(node)
            return handler(self, node)
        except Refusal as refusal:
            refusal.way_out = refusal.way_out.replace("@native", self.unit.mark)
            raise at(self.source, node, refusal) from None
        finally:
            self.body.where = before

    @property
    def returns(self) -> str:
        """The type of what LLVM's `ret` gives."""
        nothing = self.result_at or self.result is NONE.type
        return self.void if nothing else llvm(self.result)

    def ret(self, text: str = "zeroinitializer") -> None:
        """End the function: with a result, or with none where it gives none."""
        if self.on_return is not None:
            self.on_return(text)
            return
        if not self.unit.target.one_exit:
            self.body.end("ret void" if self.returns == "void" else f"ret {self.returns} {text}")
            return
        self.left = True
        if self.returns != "void":
            self.body.emit(f"store {self.returns} {text}, ptr %returned.0, align 8")
        self.body.jump("return.0")

    def close(self) -> None:
        """The one block that all ways out of the function lead to, behind all others."""
        if not self.left:
            return
        b, t = self.body, self.returns
        b.label("return.0")
        if t != "void":
            b.entry.append(f"  %returned.0 = alloca {t}, align 8")
            b.lines.append(f"  %result.0 = load {t}, ptr %returned.0, align 8{b.where}")
        b.end("ret void" if t == "void" else f"ret {t} %result.0")

    def type_of(self, node: ast.expr) -> Type:
        """The type of an expression; the code for it is thrown away."""
        return self.tried(lambda: self.value(node)).type

    def tried(self, action: Callable[[], Value]) -> Value:
        """What lowering something gives, of which nothing remains."""
        b, env = self.body, self.env
        before = list(b.lines), list(b.entry), b.block, b.open
        self.env = dict(env or {})
        try:
            return action()
        finally:
            b.lines, b.entry, b.block, b.open = before
            self.env = env

    def error(self, node: ast.AST, message: str, way_out: str = "") -> SourceError:
        return at(self.source, node, Refusal(message, way_out))

    # --- variables -------------------------------------------------------------------------------

    def read(self, name: str) -> Value:
        """The value of a variable here."""
        assert self.env is not None
        value = self.env.get(name)
        if value is None:
            self.unit.unset(self, name)
            raise Refusal(
                f"`{name}` may not have a value here",
                "assign it on every path that leads here, or before the branch or loop",
            )
        if value.type is int and not fits64(value.lo, value.hi):
            raise Refusal(
                f"`{name}` is a plain int that may leave 64 bits", "give it a type: u64(...)"
            )
        slot = self.variables[name].slot
        if slot is not None and not value.text and value.constant is None:
            text = self.body.op(f"load {llvm(value.type)}, ptr {slot}", name)
            value = self.env[name] = value._replace(text=text)
        return value

    def assign(self, name: str, value: Value) -> None:
        """Bind a variable to a value."""
        assert self.env is not None
        if self.unit.assign(self, name, value):
            return
        self._check_storable(name, value)
        variable = self.variables.get(name)
        if variable is None:
            sites, in_loop = self.writes[name]
            slot = None
            if sites > 1 or in_loop:
                slot = self.body.alloca(llvm(value.type), 8, name)
            variable = self.variables[name] = Variable(value.type, slot)
        value = self._as_variable(name, value, variable)
        if variable.slot is not None:
            if value.stack and self.writes[name][0] > 1 and self.loops:
                raise Refusal(
                    f"`{name}` is assigned in several places and may outlive this struct",
                    "copy the struct's members, or use a variable of its own",
                )
            text = value.text
            if is_integer(value.type) and value.constant is not None:
                text = arith.operand(self.body, value, int(llvm(value.type)[1:]))
            self.body.emit(f"store {llvm(variable.type)} {text}, ptr {variable.slot}")
        self.env[name] = value

    def _check_storable(self, name: str, value: Value) -> None:
        t = value.type
        if isinstance(t, TupleType | FunctionRef | Constant):
            if self.writes[name][0] > 1 or self.writes[name][1]:
                kinds = {TupleType: "tuple", FunctionRef: "function"}
                what = kinds.get(type(t), "map or another thing that is no value")
                raise Refusal(f"a {what} in a variable that changes", "use another name for it")
        elif t is NONE.type:
            raise Refusal(f"`{name}` would be None: the call gives no value")
        elif t is int and not fits64(value.lo, value.hi):
            raise Refusal("a plain int outside 64 bits in a variable")

    def _as_variable(self, name: str, value: Value, variable: Variable) -> Value:
        """A value as one of the variable's type, which it must be but for null."""
        have, want = value.type, variable.type
        if have == want:
            return value
        if is_ptr(have) and is_ptr(want):
            if have is NULL or have.to is None:
                return memory.retype(value, want)
            if want.to is None:
                variable.type = have
                return value
            if getattr(have.to, "untrusted", None) is want.to:
                return value._replace(type=want)
            if getattr(want.to, "untrusted", None) is have.to:
                raise Refusal(
                    f"`{name}` is a pointer that the verifier knows, and this is any address",
                    f"let it begin as any, too: {name} = cast({name_of(have)}, ...)",
                )
            raise Refusal(
                f"`{name}` is a `{name_of(want)}` and cannot become a `{name_of(have)}`",
                f"cast({name_of(want)}, ...), or another name",
            )
        way_out = "use another name for it"
        if is_int(want) and is_integer(have):
            way_out = f"convert it: {name_of(want)}(...)"
        elif is_int(have) and want is int:
            way_out = f"give `{name}` this type where it is first assigned: {name_of(have)}(...)"
        raise Refusal(
            f"`{name}` is a `{name_of(want)}` and cannot become a `{name_of(have)}`", way_out
        )

    def with_local(self, name: str, value: Value, action: Callable[[], Any]) -> Any:
        """Do something with a variable of a name that no source has. An argument may do so in turn,
        with the same name: what that stood for is put back."""
        assert self.env is not None
        writes, self.writes = self.writes, {**self.writes, name: (1, False)}
        outer = self.variables.get(name), self.env.get(name)
        self.variables[name], self.env[name] = Variable(value.type, None), value
        try:
            return action()
        finally:
            self.writes = writes
            _put_back(self.variables, name, outer[0])
            if self.env is not None:
                _put_back(self.env, name, outer[1])

    # --- where paths meet ------------------------------------------------------------------------

    def fork(self) -> Env:
        """What is known here, for a path that leaves."""
        assert self.env is not None
        return dict(self.env)

    def join(self, *envs: Env | None) -> Env | None:
        """What is known where several paths meet."""
        alive = [e for e in envs if e is not None]
        if not alive:
            return None
        first, *others = alive
        for other in others:
            first = {
                n: self._both(n, v, other[n]) for n, v in first.items()
                if n in other and (n in self.variables or v == other[n])
            }  # fmt: skip
        return first

    def _both(self, name: str, a: Value, b: Value) -> Value:
        if a == b:
            return a
        t = self.variables[name].type
        text = a.text if a.text == b.text else ""
        maybe = a.maybe if a.maybe == b.maybe else 1
        align = a.align if a.align == b.align else memory.common_alignment(a, b)
        same = a.known == b.known and a.at == b.at
        known = (a.known, a.at) if same else (None, 0)
        if known[0] is None and text and not text.startswith("%"):
            text = ""
        return Value(
            t, text, min(a.lo, b.lo), max(a.hi, b.hi), *known, a.stack or b.stack,
            maybe=maybe, align=align, member=member_of((a, b)),
        )  # fmt: skip

    def forget(self, node: ast.stmt, rounds: int = 0) -> None:
        """At the head of a loop: what its body assigns is only known by its type, plain ints also
        by the most rounds that there are (0: unknown) when they change by constants."""
        assert self.env is not None
        for name in writes_in(node):
            if name in self.env:
                v = self.env[name]
                t = self.variables[name].type
                bounds = span(t) if is_integer(t) else (0, 0)
                if t is int and rounds and (apart := reach(self, node, name, rounds)) is not None:
                    lo, hi = v.lo + apart[0], v.hi + apart[1]
                    bounds = (lo, hi) if fits64(lo, hi) else bounds
                maybe = int(is_ptr(t) and self.unit.target.nulls)
                member = int(v.member > 0 or (t is int and may_become(self, node, name)))
                self.env[name] = Value(t, "", *bounds, stack=v.stack, maybe=maybe, member=member)

    # --- conversions -----------------------------------------------------------------------------

    def pass_as(self, value: Value, t: Type, what: str, fits: Type | None = None) -> Value:
        """A value as an argument, result or conversion of type `t`, as @native functions do it.
        `fits`: the type that a constant must fit, where that is another one."""
        if is_int(t):
            arith.check_fits(value, fits or t, what)
            return arith.convert(self.body, value, t)
        if is_ptr(t):
            if is_struct(value.type) and self.unit.target.nulls:
                value = value._replace(type=PtrType(value.type))
            if not is_ptr(value.type):
                raise Refusal(f"{what} is a `{name_of(value.type)}`, not a pointer")
            if not isinstance(t, MaybePtr) and self.unit.target.nulls:
                memory.check_null(value, what)
            return memory.retype(value, PtrType(t.to))
        if is_struct(t) and is_ptr(value.type) and value.type.to == t:
            memory.check_null(value, what)
            return value._replace(type=t)
        if isinstance(t, Constant) and t.accepts is not None and isinstance(value.type, Constant):
            if t.accepts(value.type.thing):
                return value
            raise Refusal(f"{what} is another {name_of(value.type)} than the parameter's")
        if value.type != t:
            hint = ""
            if t is bool and is_integer(value.type):
                hint = "compare it: x != 0"
            elif t is int and is_int(value.type):
                hint = "convert it: int(x)"
            raise Refusal(f"{what} is a `{name_of(value.type)}`, not a `{name_of(t)}`", hint)
        if t is int and not (span(int)[0] <= value.lo and value.hi <= span(int)[1]):
            raise Refusal(f"{what} is a plain int that may be over 2**63", "convert it: u64(...)")
        return value

    def as_type(self, node: ast.expr, t: Type, what: str, fits: Type | None = None) -> Value:
        """Lower an expression whose value is converted to `t`, as `pass_as` does it; each branch
        of a conditional expression on its own, so that they need not agree."""
        if isinstance(node, ast.IfExp) and (is_int(t) or is_ptr(t)):
            from ebee.lang.expressions import conditional

            return conditional(self, node, lambda n: self.as_type(n, t, what, fits))
        value = self.value(node)
        try:
            return self.pass_as(value, t, what, fits)
        except Refusal as refusal:
            raise at(self.source, node, refusal) from None

    def phi(self, t: Type, incoming: list[tuple[Value, str]]) -> Value:
        """The value of whichever path was taken, at the start of a block."""
        if len(incoming) == 1:
            return incoming[0][0]
        values = [v for v, _ in incoming]
        if all(v == values[0] for v in values):
            return values[0]
        pairs = ", ".join(f"[ {self._phi_text(v)}, %{label} ]" for v, label in incoming)
        text = self.body.op(f"phi {llvm(t)} {pairs}")
        lo, hi = min(v.lo for v in values), max(v.hi for v in values)
        if t is int:
            arith.check_plain("if-else", lo, hi)
        maybe = values[0].maybe if len({v.maybe for v in values}) == 1 else 1
        member = member_of(values)
        return Value(
            t, text, lo, hi, stack=any(v.stack for v in values), maybe=maybe, member=member
        )

    def _phi_text(self, v: Value) -> str:
        if is_integer(v.type) and v.constant is not None:
            return arith.operand(self.body, v, int(llvm(v.type)[1:]))
        return v.text


def _put_back(names: dict[str, Any], name: str, before: Any) -> None:
    names.pop(name, None)
    if before is not None:
        names[name] = before


@cache
def _writes(tree: ast.FunctionDef) -> dict[str, tuple[int, bool]]:
    """For each variable: how many places assign it, and whether one of them is in a loop."""
    found: dict[str, tuple[int, bool]] = {}

    def visit(node: ast.AST, in_loop: bool) -> None:
        name = None
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.MatchAs | ast.MatchStar):
            name = node.name
        elif isinstance(node, ast.arg):
            name = node.arg
        if name is not None:
            sites, before = found.get(name, (0, False))
            found[name] = sites + 1, before or in_loop
        in_loop = in_loop or isinstance(node, ast.For | ast.While)
        for child in ast.iter_child_nodes(node):
            visit(child, in_loop)

    visit(tree, False)
    return found


__all__ = ["EXPRESSIONS", "STATEMENTS", "Env", "Function", "Loop", "Variable"]
