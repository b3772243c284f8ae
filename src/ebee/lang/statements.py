"""Statements: a handler for each kind of node that does something."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TypeVar

from ebee.lang import arith, memory
from ebee.lang.conditions import branch
from ebee.lang.enums import is_enum
from ebee.lang.errors import Refusal, at
from ebee.lang.expressions import NO_OPERATORS, OPERATORS, operate, place
from ebee.lang.function import STATEMENTS, Env, Function, Loop
from ebee.lang.static import is_type, static, text_of
from ebee.lang.values import (
    NONE,
    NULL_VALUE,
    MaybePtr,
    TupleType,
    Type,
    Value,
    held,
    is_int,
    is_ptr,
    is_struct,
    llvm,
    name_of,
    normal,
)
from ebee.types import sizeof

H = TypeVar("H", bound=Callable[..., None])


def handles(*kinds: type[ast.AST]) -> Callable[[H], H]:
    """Register a handler for kinds of nodes."""

    def register(handler: H) -> H:
        for kind in kinds:
            STATEMENTS[kind] = handler
        return handler

    return register


# --- assignment ----------------------------------------------------------------------------------


@handles(ast.Assign)
def _assign(f: Function, node: ast.Assign) -> None:
    if (text := text_of(f, node.value)) is not None:
        for target in node.targets:
            _assign_text(f, target, node.value, text)
        return
    value = f.value(node.value)
    for target in node.targets:
        assign_to(f, target, value)


def assign_to(f: Function, target: ast.expr, value: Value) -> None:
    """Assign to a variable, a place in memory, or several."""
    try:
        if isinstance(target, ast.Name):
            f.assign(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            _unpack(f, target, value)
        elif f.unit.store(f, target, value):
            pass
        elif isinstance(target, ast.Attribute | ast.Subscript):
            address, const = place(f, target)
            _check_const(target, const)
            memory.store(f.body, address, value)
        else:
            raise Refusal("`*` in an assignment", "name each variable")
    except Refusal as refusal:
        raise at(f.source, target, refusal) from None


def _assign_text(f: Function, target: ast.expr, node: ast.expr, text: str | bytes) -> None:
    """`s.name = "text"`."""
    if not isinstance(target, ast.Attribute | ast.Subscript):
        f.value(node)  # says what is wrong with it
    address, const = place(f, target)
    _check_const(target, const)
    try:
        memory.set_text(f.body, address, text)
    except Refusal as refusal:
        raise at(f.source, node, refusal) from None


def _check_const(target: ast.expr, const: bool) -> None:
    """Const members are folded, so nothing may change them."""
    if const:
        raise Refusal(f"`{ast.unparse(target)}` is const", "set it when the struct is made")


def _unpack(f: Function, target: ast.Tuple | ast.List, value: Value) -> None:
    if not isinstance(value.type, TupleType):
        raise Refusal(f"a `{name_of(value.type)}` cannot be unpacked", "it is no tuple")
    if len(value.elems) != len(target.elts):
        raise Refusal(f"{len(value.elems)} values for {len(target.elts)} variables")
    for part, elem in zip(target.elts, value.elems, strict=True):
        assign_to(f, part, elem)


@handles(ast.AnnAssign)
def _annotated(f: Function, node: ast.AnnAssign) -> None:
    """`x: u64 = u64(0)`: Python does not convert here, so the value must be of that type."""
    t = annotation(f, node.annotation)
    if node.value is None:
        if not isinstance(node.target, ast.Name):
            raise Refusal("an annotation without a value")
        return
    value = f.value(node.value)
    if is_ptr(t) and is_ptr(value.type) and value.type.to is None:
        value = memory.retype(value, t)
    if value.type != t:
        way_out = f"{ast.unparse(node.target)} = {name_of(t)}(...)" if is_int(t) else ""
        raise at(
            f.source, node.value,
            Refusal(f"the value is a `{name_of(value.type)}`, not a `{name_of(t)}`", way_out),
        )  # fmt: skip
    assign_to(f, node.target, value)


def annotation(f: Function, node: ast.expr) -> Type:
    """The type that an annotation inside a function names."""
    thing = static(f, node)
    if is_enum(thing):
        return int
    if not (is_type(thing) or thing in (int, bool)):
        raise at(f.source, node, Refusal(f"`{ast.unparse(node)}` is no static type"))
    return held(normal(thing))


@handles(ast.AugAssign)
def _augmented(f: Function, node: ast.AugAssign) -> None:
    own = f.unit.place(f, node.target) if isinstance(node.target, ast.Name) else None
    if isinstance(node.target, ast.Name) and not (own and _is_atomic(own[0])):
        old = f.value(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target))
        f.assign(node.target.id, operate(f, node.op, old, f.value(node.value)))
        return
    address, const = own or place(f, node.target)
    _check_const(node.target, const)
    if _is_atomic(address):
        if type(node.op) in NO_OPERATORS:
            raise Refusal(*NO_OPERATORS[type(node.op)])
        memory.change(f.body, address, OPERATORS[type(node.op)], f.value(node.value))
        return
    old = memory.load(f.body, address, const)
    memory.store(f.body, address, operate(f, node.op, old, f.value(node.value)))


def _is_atomic(address: Value) -> bool:
    t = memory.target(address)
    return is_int(t) and bool(t.atomic)


# --- simple ones ---------------------------------------------------------------------------------


@handles(ast.Pass)
def _pass(f: Function, node: ast.Pass) -> None:
    pass


@handles(ast.Expr)
def _expression(f: Function, node: ast.Expr) -> None:
    if isinstance(node.value, ast.Constant) and (
        isinstance(node.value.value, str) or node.value.value is ...
    ):
        return  # a docstring, or `...`
    f.value(node.value)


@handles(ast.Return)
def _return(f: Function, node: ast.Return) -> None:
    t = f.result
    none = isinstance(node.value, ast.Constant) and node.value.value is None
    if node.value is None or (none and not isinstance(t, MaybePtr)):
        if t is not NONE.type:
            raise Refusal(f"the function gives a `{name_of(t)}`", "return a value")
        f.unit.leave(f, None)
        f.ret()
    elif t is NONE.type:
        value = f.value(node.value)
        if value.type is not NONE.type:
            raise Refusal(
                "a value is returned, but no result type is declared", "def f(...) -> u64:"
            )
        f.unit.leave(f, None)
        f.ret()
    elif isinstance(t, TupleType):
        _return_tuple(f, node.value, t)
    elif is_struct(t):
        _return_struct(f, node.value, t)
    else:
        if none:
            value = NULL_VALUE
        else:
            value = f.as_type(node.value, t, "the result", f.kept)
        if value.stack:
            raise Refusal(
                "the address of a local struct is returned", "let the caller pass the struct"
            )
        f.unit.leave(f, None)
        f.ret(_text(f, value))
    f.env = None


def _text(f: Function, value: Value) -> str:
    if value.constant is not None:
        return arith.operand(f.body, value, int(llvm(value.type)[1:]))
    return value.text


def _return_tuple(f: Function, node: ast.expr, t: TupleType) -> None:
    value = f.value(node)
    if value.type != t:
        raise Refusal(
            f"the result is a `{name_of(value.type)}`, not a `{name_of(t)}`",
            "convert each value: Python does not convert inside a tuple",
        )
    whole = "poison"
    for i, elem in enumerate(value.elems):
        if elem.stack:
            raise Refusal("the address of a local struct is returned")
        text = f"{llvm(elem.type)} {_text(f, elem)}"
        whole = f.body.op(f"insertvalue {llvm(t)} {whole}, {text}, {i}")
    f.unit.leave(f, None)
    if f.result_at:
        f.body.emit(f"store {llvm(t)} {whole}, ptr {f.result_at}, align 8")
    f.ret("zeroinitializer" if f.result_at else whole)


def _return_struct(f: Function, node: ast.expr, t: Type) -> None:
    value = f.value(node)
    pointed = is_ptr(value.type) and value.type.to == t
    if value.type != t and not pointed:
        raise Refusal(f"the result is a `{name_of(value.type)}`, not a `{name_of(t)}`")
    if pointed or not value.stack:  # Python would not copy it
        raise Refusal(
            f"the result is a `{name_of(t)}` that is somewhere else already",
            f"return one of the function's own, {name_of(t)}(...), or a ptr[{name_of(t)}]",
        )
    memory.copy(f.body, Value(t, f.result_at, align=8), value, sizeof(t))
    f.unit.leave(f, None)
    f.ret()


@handles(ast.Assert)
def _assert(f: Function, node: ast.Assert) -> None:
    """A check at compile time: nothing could be done about it at run time."""
    holds = arith.truth(f.body, f.value(node.test)).constant
    if holds is None:
        raise Refusal(
            "an assertion that is not known when compiling",
            "test it and return: `if not ...: return ...`",
        )
    if not holds:
        raise Refusal(f"assertion failed: {ast.unparse(node.msg or node.test)}")


# --- branches ------------------------------------------------------------------------------------


@handles(ast.If)
def _if(f: Function, node: ast.If) -> None:
    yes, no, end = (f.body.name(n) for n in ("then", "else", "end"))
    holds, fails = branch(f, node.test, yes, no)
    _ways(f, end, [(yes, holds, node.body), (no, fails, node.orelse)])


def _ways(f: Function, end: str, ways: list[tuple[str, Env | None, list[ast.stmt]]]) -> None:
    """Blocks of which one runs."""
    met: list[Env | None] = []
    for label, env, body in ways:
        if env is None:
            continue
        f.body.label(label)
        f.env = env
        f.block(body)
        if f.env is not None:
            met.append(f.env)
            f.body.jump(end)
    f.env = f.join(*met)
    if f.env is not None:
        f.body.label(end)


@handles(ast.Match)
def _match(f: Function, node: ast.Match) -> None:
    from ebee.lang.patterns import matches

    subject = f.value(node.subject)
    end = f.body.name("end")
    met: list[Env | None] = []
    for case in node.cases:
        if f.env is None:
            break
        inside, following = f.body.name("case"), f.body.name("next")
        holds, fails = matches(f, case, subject, inside, following)
        if holds is not None:
            f.body.label(inside)
            f.env = holds
            f.block(case.body)
            if f.env is not None:
                met.append(f.env)
                f.body.jump(end)
        f.env = fails
        if fails is not None:
            f.body.label(following)
    if f.env is not None:
        met.append(f.env)
        f.body.jump(end)
    f.env = f.join(*met)
    if f.env is not None:
        f.body.label(end)


# --- loops ---------------------------------------------------------------------------------------


@handles(ast.While)
def _while(f: Function, node: ast.While) -> None:
    while_loop(f, node)


def while_loop(f: Function, node: ast.While, most: int = 0, count: bool = False) -> None:
    """Lower a `while`. `most`: rounds that there are, if known; `count` them, for a reader of the
    code who has to see that it ends."""
    b = f.body
    head, inside, done, end = (b.name(n) for n in ("while", "body", "done", "end"))
    rounds = b.alloca("i64", 8, "rounds") if count else ""
    if rounds:
        b.emit(f"store i64 0, ptr {rounds}, align 8")
    b.label(head)
    f.forget(node, most)
    worn = _count_round(f, rounds, most) if rounds else ""
    at_head = f.fork()
    holds, fails = branch(f, node.test, inside, done)
    loop = Loop(end, head, [], [])
    if holds is not None:
        b.label(inside)
        f.env = holds
        loop_body(f, loop, node.body)
        if f.env is not None:
            b.jump(head)
    if worn:
        f.env = at_head
        b.label(worn)
        f.unit.leave(f, None)
        f.ret()
    after_loop(f, loop, fails, done, node.orelse)


def _count_round(f: Function, rounds: str, most: int) -> str:
    """Count a round; gives the label of where no round comes."""
    b = f.body
    more, worn = b.name("more"), b.name("worn")
    count = b.op(f"load i64, ptr {rounds}, align 8")
    left = b.op(f"icmp ult i64 {count}, {most}")
    b.end(f"br i1 {left}, label %{more}, label %{worn}")
    b.label(more)
    # LLVM must not reckon with this: of two ways out that it foresees it may keep none
    hidden = b.op(f'call i64 asm "", "=r,0"(i64 {count})')
    following = b.op(f"add i64 {hidden}, 1")
    b.emit(f"store i64 {following}, ptr {rounds}, align 8")
    return worn


def loop_body(f: Function, loop: Loop, body: list[ast.stmt]) -> None:
    f.loops.append(loop)
    f.block(body)
    f.loops.pop()


def after_loop(f: Function, loop: Loop, env: Env | None, done: str, orelse: list[ast.stmt]) -> None:
    """The else block, where the loop ran to its end, and what follows."""
    f.env = env
    if env is not None:
        f.body.label(done)
        f.block(orelse)
        if f.env is not None:
            f.body.jump(loop.on_break)
    f.env = f.join(f.env, *loop.broken)
    if f.env is not None:
        f.body.label(loop.on_break)


@handles(ast.Break)
def _break(f: Function, node: ast.Break) -> None:
    loop = f.loops[-1]
    f.unit.leave(f, loop)
    loop.broken.append(f.fork())
    f.body.jump(loop.on_break)
    f.env = None


@handles(ast.Continue)
def _continue(f: Function, node: ast.Continue) -> None:
    loop = f.loops[-1]
    f.unit.leave(f, loop)
    loop.continued.append(f.fork())
    f.body.jump(loop.on_continue)
    f.env = None


@handles(ast.For)
def _for(f: Function, node: ast.For) -> None:
    from ebee.lang.loops import for_loop

    for_loop(f, node)
