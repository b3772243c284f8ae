"""BTF of the static types of `ebee.types`: what Python programs and declarations are made of."""

from __future__ import annotations

from typing import Any

from ebee import types
from ebee.btf.builder import BtfBuilder
from ebee.btf.types import SIGNED, Array, Fwd, Int, Member, Ptr, Struct, Typedef, Union
from ebee.errors import BtfError

_C_NAMES = {
    (1, False): "unsigned char",
    (1, True): "signed char",
    (2, False): "unsigned short",
    (2, True): "short",
    (4, False): "unsigned int",
    (4, True): "int",
    (8, False): "unsigned long long",
    (8, True): "long long",
}


class StaticTypes:
    """Adds static types to a builder, each once.

    >>> from ebee.btf.printer import declare
    >>> from ebee.types import array, u16
    >>> builder = BtfBuilder()
    >>> id = StaticTypes(builder).add(array[u16, 3])
    >>> declare(builder.build(), id, "ports")
    'u16 ports[3]'
    """

    def __init__(self, builder: BtfBuilder):
        self.builder = builder
        self._ids: dict[Any, int] = {}
        self._named: dict[str, int] = {}
        self._words: dict[tuple[int, bool], int] = {}

    def add(self, static: Any) -> int:
        """The id of a type: an integer type, `ptr[...]`, `array[...]`, a struct or union class.
        Integers become typedefs of C's (`u16` of `unsigned short`), None void. BtfError for what
        is no static type."""
        if static is None:
            return 0
        # A pointer's target may be only named: a struct known by then, else one declared.
        name = getattr(static, "__forward_arg__", static)
        if isinstance(name, str):
            return self._named.get(name) or self.builder.intern(Fwd(name))
        try:
            found = types.typeof(static)
        except TypeError as error:
            raise BtfError(f"no BTF type for {static!r}: {error}") from None
        if found not in self._ids:
            self._ids[found] = self._new(found)
        return self._ids[found]

    def _new(self, found: Any) -> int:
        builder = self.builder
        if isinstance(found, types.PtrType):
            return builder.add(Ptr(self.add(found.to)))
        if isinstance(found, types.ArrayType):
            return builder.add(Array(self.add(found.elem), self._word(4, False), found.count))
        if issubclass(found, types.Int):
            word = self._word(found.size, found.signed)
            return builder.add(Typedef(found.__name__, word))
        # Known before its members are, for these may point to it.
        id = self._ids[found] = self._named[found.__name__] = builder.reserve()
        fields = types.fields(found)
        members = tuple(
            Member(name, self.add(field.type), field.offset * 8) for name, field in fields.items()
        )
        overlap = len(members) > 1 and not any(field.offset for field in fields.values())
        kind = Union if overlap else Struct
        builder.set(id, kind(found.__name__, types.sizeof(found), members))
        return id

    def _word(self, size: int, signed: bool) -> int:
        if (size, signed) not in self._words:
            name = _C_NAMES[size, signed]
            word = self.builder.intern(Int(name, size, SIGNED if signed else 0))
            self._words[size, signed] = word
        return self._words[size, signed]
