"""Things of an object by name, and what is said of a name that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from ebee.errors import UnknownNameError

T = TypeVar("T")
Items = Mapping[str, T] | Iterable[tuple[str, T]]
MOST = 20
"""Names that a message lists."""


class Named(dict[str, T]):
    """A dict that tells of a missing name which ones come near, and what there is.

    >>> Named({"flows": 1}, "map", "tool")["flow"]
    Traceback (most recent call last):
    ebee.errors.UnknownNameError: tool has no map 'flow'. Did you mean 'flows'? It has: flows
    """

    def __init__(self, items: Items[T] = (), /, kind: str = "item", owner: str = "this"):
        super().__init__(items)
        self.kind, self.owner = kind, owner

    def __missing__(self, name: Any) -> T:
        from ebee.btf.names import near

        close = near(name, self, 1) if isinstance(name, str) else []
        hint = f" Did you mean {close[0]!r}?" if close else ""
        there = ", ".join(list(self)[:MOST]) or "none"
        more = f" and {len(self) - MOST} more" if len(self) > MOST else ""
        raise UnknownNameError(
            f"{self.owner} has no {self.kind} {name!r}.{hint} It has: {there}{more}"
        )
