"""Dataclasses whose methods are generated when the first of them is needed.

`dataclasses`, with what it imports, and each class that it generates methods for take longer than
all else that finding a kept object does; and kept objects come with their members filled in.

    if TYPE_CHECKING:
        from dataclasses import dataclass, field
    else:
        from ebee.late import dataclass, field

To whoever makes, prints or compares one, or asks `dataclasses` about one, these are dataclasses.
"""

import sys
from typing import Any, TypeVar

C = TypeVar("C", bound=type)
GENERATED = (
    "__init__", "__repr__", "__eq__", "__match_args__",
    "__dataclass_fields__", "__dataclass_params__",
    *(["__replace__"] if sys.version_info >= (3, 13) else []),
)  # fmt: skip


class field:
    """What will be said to `dataclasses.field`."""

    def __init__(self, **said: Any):
        self.said = said


class _Late:
    """Stands in a class for something that is generated when it is asked for."""

    def __init__(self, made: type, body: dict[str, Any], name: str):
        self.made, self.body, self.name = made, body, name

    def __get__(self, instance: object, asked: type) -> Any:
        _generate(self.made, self.body)
        return getattr(asked if instance is None else instance, self.name)


def dataclass(made: C) -> C:
    """`dataclasses.dataclass`, without options."""
    body = {n: v for n, v in vars(made).items() if n not in ("__dict__", "__weakref__")}
    for name, value in body.items():
        if isinstance(value, field):
            delattr(made, name)
            if "default" in value.said:
                setattr(made, name, value.said["default"])
    for name in GENERATED:
        if name not in body:
            setattr(made, name, _Late(made, body, name))
    made.__hash__ = None  # type: ignore[assignment]  # as for all that compare by value
    return made


def _generate(made: type, body: dict[str, Any]) -> None:
    """Generate the methods of a class. They are taken from a twin, so that none is ever missing:
    several threads may come here at once."""
    import dataclasses

    own = {n: dataclasses.field(**v.said) if isinstance(v, field) else v for n, v in body.items()}
    own["__qualname__"] = made.__qualname__
    twin: type = dataclasses.dataclass(type(made.__name__, made.__bases__, own))
    for name in GENERATED:
        setattr(made, name, vars(twin)[name])


__all__ = ["dataclass", "field"]
