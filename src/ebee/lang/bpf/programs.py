"""Programs: functions with a hook, `@xdp` and its like. Contexts are in `contexts`, results in
`results`, the decorators of most hooks in `decorators`.

    @xdp
    def firewall(ctx: XdpContext) -> XDP:
        return XDP.PASS

A decorator only notes the hook: the function stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ebee.errors import CompileError

if TYPE_CHECKING:
    from ebee.hooks import Hook, Section

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Program:
    """What a decorator noted: the section name that stands for hook and target."""

    section: str

    @property
    def hook(self) -> Hook:
        """The hook's declaration; CompileError when the section is nobody's."""
        return self._found[0]

    @property
    def attach_type(self) -> int | None:
        """The expected attach type that the section stands for."""
        return self._found[1].attach_type

    @property
    def declared(self) -> Section:
        """The section's declaration."""
        return self._found[1]

    @property
    def target(self) -> str:
        """What it is attached to, where the section says that."""
        return self._found[2] or ""

    @property
    def _found(self) -> tuple[Hook, Section, str | None]:
        from ebee.hooks import for_section

        found = for_section(self.section)
        if found is None:
            raise CompileError(f"no hook has sections called {self.section!r}")
        return found


def program_of(thing: Any) -> Program | None:
    """The hook that a function was marked with."""
    found = getattr(thing, "__program__", None)
    return found if isinstance(found, Program) else None


def section(name: str) -> Callable[[F], F]:
    """Any hook, by its section name as C programs give it to SEC(): `@section("sk_lookup")`."""

    def mark(f: F) -> F:
        f.__program__ = Program(name)  # type: ignore[attr-defined]
        return f

    Program(name).hook  # noqa: B018  (an unknown name is an error here and now)
    return mark


@overload
def func(function: F) -> F: ...
@overload
def func(*, inline: bool = True, separate: bool = False) -> Callable[[F], F]: ...
def func(function: Any = None, *, inline: bool = True, separate: bool = False) -> Any:
    """A function that programs call. It becomes part of its callers; with `inline=False` it is a
    subprogram of its own, with at most five arguments. With `separate=True` (a global function,
    since Linux 5.6) the verifier checks that once, by its types alone: numbers may be any,
    pointers (`ptr[S] | None`) may be None; so callers do not make it costlier."""

    def mark(f: Any) -> Any:
        from ebee.native import native

        made: Any = native(f)
        made.__inline__ = inline and not separate
        made.__separate__ = separate
        return made

    return mark if function is None else mark(function)


@cache
def marks() -> frozenset[Any]:
    """All that may stand above a function that is compiled."""
    from ebee.lang.bpf import decorators
    from ebee.lang.bpf.exceptions import exception_callback
    from ebee.lang.bpf.packets import parser
    from ebee.native import native

    hooks = (getattr(decorators, name) for name in decorators.__all__)
    return frozenset((native, func, parser, section, exception_callback, *hooks))
