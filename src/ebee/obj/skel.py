"""What modules made by `ebee.obj.skeleton` stand on: typed views of an object and its parts."""

from __future__ import annotations

import base64
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin, get_type_hints

from ebee.errors import ObjectError
from ebee.obj import handles
from ebee.obj.reader import read
from ebee.obj.spec import ObjectSpec

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S", bound="Skeleton")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, vars(sys.modules[kind.__module__]))


def typed(kind: Any, value: Any) -> Any:
    """A decoded value as `kind`: records as dataclasses, all the way down."""
    if get_origin(kind) is list:
        (element,) = get_args(kind)
        return [typed(element, item) for item in value]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        parts = {f.name: value[f.metadata.get("c", f.name)] for f in fields(kind)}
        return kind(**{name: typed(_given(hints[name]), part) for name, part in parts.items()})
    return value


def _given(hint: Any) -> Any:
    """X of `X | None`, which members that share their place have."""
    return (
        next((h for h in get_args(hint) if h is not type(None)), hint) if _optional(hint) else hint
    )


def _optional(hint: Any) -> bool:
    return type(None) in get_args(hint)


def plain(value: Any) -> Any:
    """The other way: dataclasses as dicts, without the members that are None."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.metadata.get("c", f.name), getattr(value, f.name)) for f in fields(value))
        return {name: plain(part) for name, part in pairs if part is not None}
    return value


class TypedMap(MutableMapping[K, V]):
    """A live map with keys and values of the skeleton's types; `handle` is ebee's own."""

    def __init__(self, handle: handles.Map, key: type[K], value: type[V]):
        self.handle, self._key, self._value = handle, key, value

    def __getitem__(self, key: K) -> V:
        found: V = typed(self._value, self.handle[plain(key)])
        return found

    def __setitem__(self, key: K, value: V) -> None:
        self.handle[plain(key)] = plain(value)

    def __delitem__(self, key: K) -> None:
        del self.handle[plain(key)]

    def __iter__(self) -> Iterator[K]:
        return (typed(self._key, key) for key in self.handle)

    def __len__(self) -> int:
        return len(self.handle)

    def __repr__(self) -> str:
        return repr(self.handle)


class _Part:
    """Maps, programs or variables of a skeleton."""

    def __init__(self, owner: Skeleton):
        self._owner = owner


class Maps(_Part):
    """The maps of a loaded object."""


class Programs(_Part):
    """The programs of a loaded object."""


class Variables(_Part):
    """The global variables: their initial values before the object is loaded, the live ones
    after."""


class MapOf(Generic[K, V]):
    """A map as an attribute of Maps."""

    def __init__(self, name: str, key: type[K], value: type[V]):
        self.name, self.key, self.value = name, key, value

    def __get__(self, part: Maps, kind: type | None = None) -> TypedMap[K, V]:
        return TypedMap(part._owner.object.maps[self.name], self.key, self.value)


class ProgramOf:
    """A program as an attribute of Programs."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, part: Programs, kind: type | None = None) -> handles.Program:
        loaded = part._owner.object.programs
        if self.name not in loaded:
            raise ObjectError(f"program {self.name} is not loaded")
        return loaded[self.name]


class Variable(Generic[V]):
    """A variable as an attribute of Variables."""

    def __init__(self, name: str, kind: type[V]):
        self.name, self.kind = name, kind

    def _of(self, part: Variables) -> Any:
        owner = part._owner
        where: Mapping[str, Any] = owner.spec.variables
        return (owner.loaded.variables if owner.loaded is not None else where)[self.name]

    def __get__(self, part: Variables, kind: type | None = None) -> V:
        found: V = typed(self.kind, self._of(part).value)
        return found

    def __set__(self, part: Variables, value: V) -> None:
        self._of(part).value = plain(value)


class Skeleton(handles.Closing):
    """An object with its parts as attributes; the base of what `generate` makes.

        with Firewall() as firewall:
            firewall.variables.threshold = 100        # before loading: the initial value
            firewall.load(ebee.linux.load)            # or Machine().load
            firewall.programs.firewall.attach("veth0")

    `spec` may be changed before loading; `object` is what the backend made of it. Closing the
    skeleton closes the object.
    """

    CONTENT: ClassVar[str] = ""
    """The ELF object, compressed, in base 64."""
    NAME: ClassVar[str] = "object"

    def __init__(self) -> None:
        content = zlib.decompress(base64.b64decode(self.CONTENT))
        self.spec: ObjectSpec = read(content, self.NAME)
        self.loaded: handles.Object | None = None

    @property
    def object(self) -> handles.Object:
        """The loaded object; ObjectError before `load`."""
        if self.loaded is None:
            raise ObjectError(f"{self.NAME} is not loaded yet")
        return self.loaded

    def load(self: S, loader: Callable[[ObjectSpec], handles.Object]) -> S:
        """Load the object by a backend's function: `ebee.linux.load`, or a machine's `load`."""
        if self.loaded is not None:
            raise ObjectError(f"{self.NAME} is loaded already")
        self.loaded = loader(self.spec)
        return self

    def close(self) -> None:
        """Close the object, if it is loaded."""
        if self.loaded is not None:
            self.loaded.close()
            self.loaded = None
