"""BTF as C: one declaration, types with all they need, or a whole vmlinux.h.

c(btf)                      everything, for `#include "vmlinux.h"`
c(btf, [id, ...])           these types and what they need, in an order that compiles
definition(btf, id)         one type alone
declare(btf, id, "name")    a declaration of a name
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ebee.btf.layout import layout
from ebee.btf.reader import Btf, describe, keyword
from ebee.btf.types import (
    Array,
    Composite,
    Const,
    Datasec,
    DeclTag,
    Enum,
    Enum64,
    Enumeration,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Ptr,
    Reference,
    Restrict,
    Struct,
    Type,
    Typedef,
    TypeTag,
    Union,
    Var,
    Volatile,
    references,
)
from ebee.errors import BtfError

MAX_INLINE = 100_000
"""Bodies and parameter lists that one output may have more than there are types."""
_NESTING = 32
"""How deep these may be nested."""
_DEPTH = 128
"""How many pointers, arrays and qualifiers a declaration may have."""

_C_WORDS = {"char", "signed", "unsigned", "short", "int", "long", "float", "double", "_Bool"}
_C_WORDS |= {"__int128", "_Float16", "__float128"}
_QUALIFIERS = {Const: "const", Volatile: "volatile", Restrict: "restrict"}
_MODES = {1: "byte", 2: "HI", 4: "SI", 8: "DI"}

HEADER = """\
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif
"""
KFUNCS = """\
#ifndef BPF_NO_KFUNC_PROTOTYPES
#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#ifndef __bpf_fastcall
#if __has_attribute(bpf_fastcall)
#define __bpf_fastcall __attribute__((bpf_fastcall))
#else
#define __bpf_fastcall
#endif
#endif
"""
FOOTER = """\
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
"""


def c(btf: Btf, ids: Iterable[int] | None = None) -> str:
    """C source that compiles by itself: the types `ids` and all that they need, or without ids
    a header with all types of `btf` (of a split BTF: its own and what they need of the base),
    include guard, preserve_access_index for CO-RE, and the prototypes of kfuncs.

    Sizes and offsets come out as in the BTF when compiled for bpf: `packed` and padding are
    written where needed. Types and constants whose name is already taken get a flavour (`___2`).
    """
    writer = _Writer(btf)
    if ids is not None:
        for id in ids:
            _write_one(writer, btf.type(id))
        return "\n".join(writer.chunks)
    return "\n".join([HEADER, *_write_all(writer, btf), FOOTER])


def _write_one(writer: _Writer, found: Type) -> None:
    """A type that was asked for, with what it needs."""
    if isinstance(found, Enumeration) and not found.name:
        writer.constants(found)
    else:
        writer.require(found.id)
    if isinstance(found, (Func, Var)):
        writer.chunks.append(f"extern {writer.declare(found.type, found.name)};\n")


def _write_all(writer: _Writer, btf: Btf) -> list[str]:
    """The body of a header: all named types, constants, and kfuncs."""
    tags: dict[int, set[str]] = {}
    functions: list[Func] = []
    constants: list[Enumeration] = []
    referred: set[int] = set()
    for found in btf:
        match found:
            case Composite() | Typedef() | Enumeration() if found.name:
                writer.require(found.id)
            case Enumeration():
                constants.append(found)
            case DeclTag():
                tags.setdefault(found.type, set()).add(found.name)
            case Func():
                functions.append(found)
        referred.update(references(found))
    for enum in constants:
        if enum.id not in referred:
            writer.constants(enum)
    prototypes = []
    for function in functions:
        if "bpf_kfunc" in tags.get(function.id, ()):
            writer.require(function.type)
            fast = "__bpf_fastcall " if "bpf_fastcall" in tags[function.id] else ""
            declaration = writer.declare(function.type, function.name)
            prototypes.append(f"extern {fast}{declaration} __weak __ksym;\n")
    if not prototypes:
        return writer.chunks
    return [*writer.chunks, KFUNCS, "".join(prototypes) + "#endif\n"]


def definition(btf: Btf, id: int) -> str:
    """The C definition of one type alone, as in its own line of a header."""
    writer = _Writer(btf)
    found = btf.type(id)
    match found:
        case Composite() | Enumeration():
            return writer.body(found, 0) + ";\n"
        case Typedef():
            return writer.typedef(found) + "\n"
        case Func() | Var():
            return f"{writer.declare(found.type, found.name)};\n"
        case Datasec():
            lines = (f"\t{writer.declare(entry.type)};\n" for entry in found.vars)
            return f"/* section {found.name} */\n" + "".join(lines)
    return writer.declare(id) + ";\n"


def declare(btf: Btf, id: int, name: str = "") -> str:
    """C's declaration of `name` as type `id`: `int (*name)(char *)`; without a name, the type as
    in a cast. Bodies of anonymous types are written out."""
    return _Writer(btf).declare(id, name)


def oneline(btf: Btf, id: int) -> str:
    """A type on one line, a struct with its body: `struct pair { int x; int y; }`."""
    found = btf.resolve(id)
    text = declare(btf, id)
    if isinstance(found, Composite) and found.name:
        text = definition(btf, found.id).rstrip(";\n")
    return re.sub(r"\s+", " ", text)


class _Names:
    """Gives each type its C name. Tags (struct, union, enum) and ordinary names (typedefs,
    enumerators) are namespaces of their own in C."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], int] = {}
        self._names: dict[int, str] = {}
        self._words: dict[str, str] = {}

    def fresh(self, space: str, name: str) -> str:
        """`name`, or `name___2` and so on if it is taken."""
        plain = _identifier(name)
        count = self._taken[space, plain] = self._taken.get((space, plain), 0) + 1
        return plain if count == 1 else self.fresh(space, f"{plain}___{count}")

    def of(self, found: Type | Composite | Enumeration) -> str:
        """The name of a struct, union, enum, declaration or typedef, the same each time."""
        if found.id not in self._names:
            self._names[found.id] = self._new(found)
        return self._names[found.id]

    def _new(self, found: Type | Composite | Enumeration) -> str:
        if not isinstance(found, (Composite, Enumeration, Fwd)):
            return self.fresh("", found.name)
        word, plain = keyword(found), _identifier(found.name)
        if self._words.setdefault(plain, word) != word:  # as in `enum x` beside `struct x`
            return self.fresh("tag", f"{plain}___{word}")
        # A declaration means the struct of its name, whichever that is.
        return plain if isinstance(found, Fwd) else self.fresh("tag", plain)


class _Writer:
    """Writes types in an order in which each comes after what it needs."""

    def __init__(self, btf: Btf):
        self.btf = btf
        self.chunks: list[str] = []
        self._names = _Names()
        self._declared: set[str] = set()
        self._done: set[int] = set()
        self._open: set[int] = set()
        self._required: set[tuple[int, bool]] = set()
        self._inline = self._nesting = 0

    # -- order ------------------------------------------------------------------------------

    def require(self, id: int, whole: bool = True) -> None:
        """Write what must be there before type `id` can be used; its body only if `whole`.

        C needs the body of what is contained by value, and a mere `struct x;` for the target of
        a pointer, so that structs which point to each other are no problem.
        """
        stack = [self._require(id, whole)]  # explicit: headers nest deeper than Python likes
        while stack:
            needed = next(stack[-1], None)
            if needed is None:
                stack.pop()
            elif needed not in self._required or needed[0] in self._open:
                self._required.add(needed)
                stack.append(self._require(*needed))

    def _require(self, id: int, whole: bool) -> Iterator[tuple[int, bool]]:
        """Yields what must be required first, then writes."""
        found = self.btf.type(id)
        match found:
            case Ptr():
                yield found.type, False
            case Reference() | TypeTag():
                yield found.type, whole
            case Array():
                yield found.type, True
            case FuncProto():
                yield found.type, False
                for param in found.params:
                    yield param.type, False
            case Func() | Var():
                yield found.type, whole
            case Datasec():
                for entry in found.vars:
                    yield entry.type, True
            case Typedef():
                yield from self._typedef(found, whole)
            case Struct() | Union() if found.name:
                yield from self._composite(found, whole)
            case Struct() | Union():
                yield from self._anonymous(found)
            case Enum() | Enum64() if found.name:
                self._once(found, lambda: self.body(found) + ";")
            case Fwd():
                self._forward(found)
            case Int() | Float():
                if self._number(found) is None:
                    words = _by_size(found)
                    self._once(found, lambda: f"typedef {words} {self._names.of(found)};")

    def _typedef(self, found: Typedef, whole: bool) -> Iterator[tuple[int, bool]]:
        if found.id not in self._done and found.id not in self._open:
            self._open.add(found.id)
            yield found.type, False
            self._open.remove(found.id)
            if not _is_builtin(found):
                self._once(found, lambda: self.typedef(found))
        if whole:
            yield found.type, True

    def typedef(self, found: Typedef) -> str:
        return f"typedef {self.declare(found.type, self._names.of(found))};"

    def _composite(self, found: Composite, whole: bool) -> Iterator[tuple[int, bool]]:
        if found.id in self._done:
            return
        if not whole:
            self._forward(found)
            return
        if found.id in self._open:
            raise BtfError(f"{self.btf.name}: {describe(found)} contains itself")
        self._open.add(found.id)
        for member in found.members:
            yield member.type, True
        self._open.remove(found.id)
        self._once(found, lambda: self.body(found) + ";")

    def _anonymous(self, found: Composite) -> Iterator[tuple[int, bool]]:
        """Its body is written in place, so its members are needed whatever it is needed for."""
        if found.id not in self._done:
            self._done.add(found.id)
            for member in found.members:
                yield member.type, True

    def _forward(self, found: Composite | Fwd) -> None:
        text = f"{keyword(found)} {self._names.of(found)};"
        if text not in self._declared:
            self._declared.add(text)
            self._write(text)

    def _once(self, found: Named, text: Callable[[], str]) -> None:
        """Write a type that comes only once."""
        if found.id in self._done:
            return
        self._done.add(found.id)
        written = text()
        # C23 has bool, true and false as keywords.
        if found.name == "bool" or _is_true_false(found):
            old = "!defined(__STDC_VERSION__) || __STDC_VERSION__ < 202311L"
            written = f"#if {old}\n{written}\n#endif"
        self._write(written)

    def constants(self, found: Enumeration) -> None:
        """Write an anonymous enum that nothing refers to: it is there for its constants."""
        self._once(found, lambda: self.body(found) + ";")

    def _write(self, text: str) -> None:
        self.chunks.append(text + "\n")

    # -- spelling ---------------------------------------------------------------------------

    def declare(self, id: int, name: str = "", indent: int = 0) -> str:
        """See `declare`. Declarators grow outwards from the name while qualifiers wait for the
        pointer or the base type that they belong to."""
        inner, waiting = name, list[str]()
        for _ in range(_DEPTH):
            found = self.btf.type(id)
            match found:
                case Const() | Volatile() | Restrict():
                    # An array of const may be const itself, which C cannot say twice.
                    if _QUALIFIERS[type(found)] not in waiting:
                        waiting.append(_QUALIFIERS[type(found)])
                case TypeTag():
                    tag = found.name if found.attribute else f'btf_type_tag("{found.name}")'
                    waiting.append(f"__attribute__(({tag}))")
                case Ptr():
                    inner = " ".join(["*" + " ".join(reversed(waiting)), inner]).replace("* ", "*")
                    inner, waiting = inner.strip(), []
                case Array():
                    inner = f"{_grouped(inner)}[{found.nelems}]"
                case FuncProto():
                    inner, waiting = _grouped(inner) + self._params(found, indent), []
                case Typedef() if _is_builtin(found):
                    pass
                case _:
                    break
            id = found.type
        else:
            raise BtfError(f"{self.btf.name}: type {id} is nested too deep to write in C")
        qualifiers = [word for word in reversed(waiting) if word != "restrict"]
        return " ".join([*qualifiers, self._base(found, indent), inner]).rstrip()

    @contextmanager
    def _nested(self) -> Iterator[None]:
        """Bounds what is written in place: in damaged BTF it may have no end."""
        self._inline += 1
        self._nesting += 1
        if self._nesting > _NESTING or self._inline > MAX_INLINE + len(self.btf):
            raise BtfError(f"{self.btf.name}: its types are nested too deep to write in C")
        yield
        self._nesting -= 1

    def _params(self, found: FuncProto, indent: int) -> str:
        with self._nested():
            params = [self.declare(param.type, param.name, indent) for param in found.params]
        if found.variadic:
            params[-1] = "..."
        return f"({', '.join(params) or 'void'})" if params != ["..."] else "()"

    def _base(self, found: Type, indent: int) -> str:
        match found:
            case Int() | Float():
                return self._number(found) or self._names.of(found)
            case Typedef():
                return self._names.of(found)
            case Composite() | Enumeration() | Fwd():
                if found.name or isinstance(found, Fwd):
                    return f"{keyword(found)} {self._names.of(found)}"
                return self.body(found, indent)
        return "void"

    def _number(self, found: Int | Float) -> str | None:
        """C's words for a number, or None if its name is not C's and needs a typedef."""
        words = set(found.name.split())
        if not words <= _C_WORDS:
            return None
        if isinstance(found, Float) or _c_size(words) == found.size:
            return found.name
        return _by_size(found)  # such as a `long` of 4 bytes

    def body(self, found: Composite | Enumeration, indent: int = 0) -> str:
        """`struct name {...}`, or without a name if it has none."""
        name = self._names.of(found) if found.name else ""
        head = " ".join(filter(None, [keyword(found), name]))
        if isinstance(found, Enumeration):
            return self._enum(found, head, indent)
        with self._nested():
            lines, packed = self._members(found, indent + 1)
        tabs = "\t" * indent
        inside = "".join(f"{tabs}\t{line};\n" for line in lines)
        end = " __attribute__((packed))" if packed else ""
        return f"{head} {{\n{inside}{tabs}}}{end}"

    def _members(self, found: Composite, indent: int) -> tuple[list[str], bool]:
        """(declarations, whether packed)."""
        how = layout(self.btf, found)
        if how is None:
            return [f"/* C has no such layout */ unsigned char __opaque[{found.size}]"], False
        lines = []
        for member, offset, bits, pad in how.places:
            lines += _padding(offset - pad, pad)
            declaration = self.declare(member.type, _identifier(member.name), indent)
            lines.append(f"{declaration}: {bits}" if bits else declaration)
        if isinstance(found, Struct):
            lines += _padding(found.size * 8 - how.tail, how.tail)
        elif how.tail:
            lines.append(f"unsigned char __size[{found.size}]")
        return lines, how.packed

    def _enum(self, found: Enumeration, head: str, indent: int) -> str:
        if not found.values:
            return head  # an enum that is only declared
        tabs = "\t" * indent
        inside = "".join(
            f"{tabs}\t{self._names.fresh('', name)} = {_constant(value)},\n"
            for name, value in found.values
        )
        size = _enum_attribute(found)
        return f"{head} {{\n{inside}{tabs}}}{size}"


Named = Composite | Enumeration | Typedef | Int | Float
_BY_SIZE = {
    (1, False): "unsigned char",
    (1, True): "signed char",
    (2, False): "unsigned short",
    (2, True): "short",
    (4, False): "unsigned int",
    (4, True): "int",
    (8, False): "unsigned long",
    (8, True): "long",
    (16, False): "unsigned __int128",
    (16, True): "__int128",
}


def _enum_attribute(found: Enumeration) -> str:
    """What gives an enumeration its size where C would choose another."""
    low, high = (f(value.value for value in found.values) for f in (min, max))
    signed = low < 0
    smallest = next(
        size
        for size in (1, 2, 4, 8)
        if (-1 << size * 8 - 1 if signed else 0) <= low and high < 1 << size * 8 - signed
    )
    if found.size == max(smallest, 4):
        return ""
    # `packed` is preferred, for `mode` makes a signed type of what was none.
    attribute = "packed" if found.size == smallest else f"mode({_MODES[found.size]})"
    return f" __attribute__(({attribute}))"


def _by_size(found: Int | Float) -> str:
    """C's word for a number of this size; what is wider than C knows cannot be written."""
    signed = isinstance(found, Int) and found.signed
    word = _BY_SIZE.get((found.size, signed))
    if word is None:
        raise BtfError(f"C for bpf has no {type(found).__name__} of {found.size} bytes")
    return word


def _c_size(words: set[str]) -> int:
    """Bytes of an integer type of C on bpf."""
    sizes = {"char": 1, "_Bool": 1, "short": 2, "__int128": 16, "long": 8}
    return next((size for word, size in sizes.items() if word in words), 4)


def _is_builtin(found: Typedef) -> bool:
    """`__builtin_va_list` and the like are the compiler's own, and other ones for bpf."""
    return found.name.startswith("__builtin_")


def _is_true_false(found: Named) -> bool:
    return isinstance(found, Enumeration) and any(name == "true" for name, _ in found.values)


def _grouped(inner: str) -> str:
    return f"({inner})" if inner.startswith("*") else inner


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def _constant(value: int) -> str:
    if value == -1 << 63:
        return "-9223372036854775807LL - 1"
    if -(1 << 31) <= value < 1 << 32:
        return str(value)
    return f"{value}LL" if value < 1 << 63 else f"{value}ULL"


def _padding(start: int, bits: int) -> list[str]:
    """Unnamed bitfields from bit `start` on. They are of one word each, for they cannot cross
    its boundary; and several stand on a line. Of more than that the bulk is an array."""
    chunks = []
    end = start + bits
    while start < end:
        width = min(end - start, 64 - start % 64)
        if width == 64 and end - start > 64 * 16:
            width = (end - start) // 8 * 8
            chunks.append(f"unsigned char __padding_{start // 8}[{width // 8}]")
        else:
            chunks.append(f"long: {width}")
        start += width
    return ["; ".join(chunks[at : at + 8]) for at in range(0, len(chunks), 8)]
