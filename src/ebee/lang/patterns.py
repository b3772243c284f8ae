"""Patterns of `match`: constants, alternatives, captures, guards, and sequences of a tuple."""

from __future__ import annotations

import ast

from ebee.lang import arith, memory
from ebee.lang.conditions import Ways, branch, compare_pointers, go, note_null
from ebee.lang.errors import Refusal, at
from ebee.lang.function import Env, Function
from ebee.lang.static import static, text_of
from ebee.lang.values import (
    NULL_VALUE,
    TupleType,
    Value,
    constant,
    is_integer,
    is_ptr,
    is_struct,
    name_of,
)
from ebee.types import ArrayType, fields


def matches(f: Function, case: ast.match_case, subject: Value, yes: str, no: str) -> Ways:
    """Go to one of two labels by a case: its pattern, then its guard."""
    if case.guard is None:
        return match_pattern(f, case.pattern, subject, yes, no)
    guard = f.body.name("guard")
    holds, fails = match_pattern(f, case.pattern, subject, guard, no)
    if holds is None:
        return None, fails
    f.body.label(guard)
    f.env = holds
    accepted, rejected = branch(f, case.guard, yes, no)
    return accepted, f.join(fails, rejected)


def match_pattern(f: Function, p: ast.pattern, subject: Value, yes: str, no: str) -> Ways:
    """Go to one of two labels by a pattern."""
    handler = PATTERNS.get(type(p))
    if handler is None:
        from ebee.lang.refused import refusal_of

        raise at(f.source, p, refusal_of(p))
    try:
        return handler(f, p, subject, yes, no)  # type: ignore[operator, no-any-return]
    except Refusal as refusal:
        raise at(f.source, p, refusal) from None


def _value(f: Function, p: ast.MatchValue, subject: Value, yes: str, no: str) -> Ways:
    if isinstance(subject.type, ArrayType) and (text := text_of(f, p.value)) is not None:
        data = memory.literal(subject.type, text, whole=True)
        return go(f, memory.begins_with(f.body, subject, data), yes, no)
    other = f.value(p.value)
    if is_integer(subject.type) and is_integer(other.type):
        return go(f, arith.compare(f.body, "==", subject, other), yes, no)
    if is_ptr(subject.type) and is_ptr(other.type):
        return go(f, compare_pointers(f, "==", subject, other), yes, no)
    raise Refusal(f"a `{name_of(subject.type)}` matched with a `{name_of(other.type)}`")


def _singleton(f: Function, p: ast.MatchSingleton, subject: Value, yes: str, no: str) -> Ways:
    if p.value is None and is_ptr(subject.type) and f.unit.target.nulls:
        return _null(f, subject, yes, no)
    if p.value is None or subject.type is not bool:
        raise Refusal(f"`case {p.value}` of a `{name_of(subject.type)}`", "write a number")
    return go(f, arith.compare(f.body, "==", subject, constant(bool, p.value)), yes, no)


def _null(f: Function, subject: Value, yes: str, no: str) -> Ways:
    """`case None` of a pointer."""
    null = NULL_VALUE._replace(type=subject.type, maybe=2)
    holds, fails = go(f, compare_pointers(f, "==", subject, null), yes, no)
    note_null(fails, holds, subject)
    return holds, fails


def _class(f: Function, p: ast.MatchClass, subject: Value, yes: str, no: str) -> Ways:
    """`case S(a=1, b=x)` of a struct, or of a pointer to one that is not None."""
    to = subject.type.to if is_ptr(subject.type) else subject.type
    wanted = static(f, p.cls)
    if not is_struct(wanted) or to is not wanted:
        shown = ast.unparse(p.cls)
        raise Refusal(f"a `{name_of(subject.type)}` is no `{shown}`", "match members of a struct")
    if len(p.patterns) > len(fields(to)):
        raise Refusal(f"{name_of(to)} has {len(fields(to))} members, not {len(p.patterns)}")
    parts = [
        *zip(fields(to), p.patterns, strict=False),
        *zip(p.kwd_attrs, p.kwd_patterns, strict=True),
    ]
    failed: list[Env | None] = []
    if subject.maybe:
        there = f.body.name("there")
        fails, holds = _null(f, subject, no, there)
        failed.append(fails)
        if holds is None:
            return None, fails
        f.body.label(there)
        f.env, subject = holds, subject._replace(maybe=0)
    for name, part in parts:
        following = f.body.name("member")
        member = memory.load(f.body, memory.member(f.body, subject, memory.find_field(to, name)))
        holds, fails = match_pattern(f, part, member, following, no)
        failed.append(fails)
        if holds is None:
            return None, f.join(*failed)
        f.body.label(following)
        f.env = holds
    f.body.jump(yes)
    return f.env, f.join(*failed)


def _as(f: Function, p: ast.MatchAs, subject: Value, yes: str, no: str) -> Ways:
    """`_`, a capture, or a pattern with a name for what it matched."""
    if p.pattern is None:
        if p.name is not None:
            f.assign(p.name, subject)
        return go(f, constant(bool, True), yes, no)
    named = f.body.name("as")
    holds, fails = match_pattern(f, p.pattern, subject, named, no)
    if holds is not None:
        f.body.label(named)
        f.env = holds
        assert p.name is not None
        f.assign(p.name, subject)
        holds = f.env
        f.body.jump(yes)
    return holds, fails


def _or(f: Function, p: ast.MatchOr, subject: Value, yes: str, no: str) -> Ways:
    found: list[Env | None] = []
    for alternative in p.patterns[:-1]:
        following = f.body.name("or")
        holds, fails = match_pattern(f, alternative, subject, yes, following)
        found.append(holds)
        if fails is None:
            return f.join(*found), None
        f.body.label(following)
        f.env = fails
    holds, fails = match_pattern(f, p.patterns[-1], subject, yes, no)
    return f.join(*found, holds), fails


def _sequence(f: Function, p: ast.MatchSequence, subject: Value, yes: str, no: str) -> Ways:
    if not isinstance(subject.type, TupleType):
        raise Refusal(f"a sequence matched with a `{name_of(subject.type)}`", "match (a, b):")
    for part in p.patterns:
        if isinstance(part, ast.MatchStar):
            raise at(f.source, part, Refusal("`*` in a pattern", "name each value"))
    if len(p.patterns) != len(subject.elems):
        return go(f, constant(bool, False), yes, no)
    failed: list[Env | None] = []
    for part, elem in zip(p.patterns, subject.elems, strict=True):
        following = f.body.name("part")
        holds, fails = match_pattern(f, part, elem, following, no)
        failed.append(fails)
        if holds is None:
            return None, f.join(*failed)
        f.body.label(following)
        f.env = holds
    f.body.jump(yes)
    return f.env, f.join(*failed)


PATTERNS: dict[type[ast.pattern], object] = {
    ast.MatchValue: _value,
    ast.MatchSingleton: _singleton,
    ast.MatchAs: _as,
    ast.MatchOr: _or,
    ast.MatchSequence: _sequence,
    ast.MatchClass: _class,
}
