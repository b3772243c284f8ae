"""Debug metadata as LLVM's IR has it, from which LLVM makes BTF: types, functions, places.

LLVM gives every type a name of C's kind; maps are described as libbpf has it, by the struct type
of a variable in `.maps`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ebee import types
from ebee.lang.bpf.maps import AnyMap
from ebee.lang.source import Source
from ebee.lang.values import NONE, Type, is_int, is_integer, is_ptr, is_struct
from ebee.types import ArrayType, PtrType, fields, sizeof

_BASES = {
    (1, False): ("unsigned char", "unsigned_char"), (1, True): ("signed char", "signed_char"),
    (2, False): ("unsigned short", "unsigned"), (2, True): ("short", "signed"),
    (4, False): ("unsigned int", "unsigned"), (4, True): ("int", "signed"),
    (8, False): ("unsigned long long", "unsigned"), (8, True): ("long long", "signed"),
}  # fmt: skip

WHOLE = ""
"""The name that notes about a function itself have among those of its parameters."""


class Debug:
    """The metadata of one module, numbered as it grows."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.globals: list[str] = []
        self._shared: dict[Any, str] = {}
        self._types: dict[Any, str] = {}
        self.unit = self.reserve()
        self.main = ""

    def reserve(self) -> str:
        """A number whose node follows by `set`: nodes may refer to each other."""
        self.nodes.append("")
        return f"!{len(self.nodes) - 1}"

    def set(self, number: str, text: str) -> str:
        self.nodes[int(number[1:])] = text
        return number

    def node(self, text: str) -> str:
        """The number of a node; equal ones are one."""
        if text not in self._shared:
            self._shared[text] = self.set(self.reserve(), text)
        return self._shared[text]

    def text(self, producer: str) -> str:
        """All nodes, the compile unit and the flags among them."""
        shared = self.node(f"!{{{', '.join(self.globals)}}}")
        self.set(
            self.unit,
            f"distinct !DICompileUnit(language: DW_LANG_C11, file: {self.main},"
            f" producer: {quote(producer)}, isOptimized: true, runtimeVersion: 0,"
            f" emissionKind: FullDebug, globals: {shared}, splitDebugInlining: false,"
            " nameTableKind: None)",
        )
        version = self.node('!{i32 2, !"Debug Info Version", i32 3}')
        dwarf = self.node('!{i32 7, !"Dwarf Version", i32 5}')
        lines = [
            f"!llvm.dbg.cu = !{{{self.unit}}}",
            f"!llvm.module.flags = !{{{version}, {dwarf}}}",
        ]
        lines += [f"!{i} = {text}" for i, text in enumerate(self.nodes)]
        return "\n".join(lines) + "\n"

    # --- places ----------------------------------------------------------------------------------

    def file(self, source: Source) -> str:
        """The file of a function. LLVM reads the lines from it, or from here when there is none."""
        inline = "" if os.path.exists(source.file) else f", source: {quote(''.join(source.lines))}"
        folder = "" if os.path.isabs(source.file) else os.getcwd()
        found = self.node(
            f"!DIFile(filename: {quote(source.file)}, directory: {quote(folder)}{inline})"
        )
        self.main = self.main or found
        return found

    def function(
        self, source: Source, name: str, result: Type, params: list[Any], own: bool,
        notes: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> str:  # fmt: skip
        """A function, whose name and types become BTF unless it is inlined everywhere. `notes`:
        what is said of its parameters, and of it (btf_decl_tag)."""
        file = self.file(source)
        params = [(n, PtrType(t) if is_struct(t) else t) for n, t in params]
        given = [self._parameter(t, notes.get(n, ())) for n, t in params]
        kinds = ", ".join([self.type(result), *given])
        kind = self.node(f"!DISubroutineType(types: {self.node(f'!{{{kinds}}}')})")
        line, scope, kept = source.tree.lineno, self.reserve(), self.reserve()
        local = "" if own else "DISPFlagLocalToUnit | "
        self.set(
            scope,
            f"distinct !DISubprogram(name: {quote(name)}, scope: {file}, file: {file},"
            f" line: {line}, type: {kind}, scopeLine: {line}, flags: DIFlagPrototyped,"
            f" spFlags: {local}DISPFlagDefinition | DISPFlagOptimized, unit: {self.unit},"
            f" retainedNodes: {kept}{self._notes(notes.get(WHOLE, ()))})",
        )
        variables = [
            self.node(
                f"!DILocalVariable(name: {quote(n)}, arg: {i}, scope: {scope}, file: {file},"
                f" line: {line}, type: {t}{self._notes(notes.get(n, ()))})"
            )
            for i, ((n, _), t) in enumerate(zip(params, given, strict=True), 1)
        ]
        self.set(kept, f"!{{{', '.join(variables)}}}")
        return scope

    def place(self, scope: str, line: int, column: int) -> str:
        """A line and column (from 1) inside a function."""
        key = scope, line, column
        if key not in self._shared:
            text = f"!DILocation(line: {line}, column: {column}, scope: {scope})"
            self._shared[key] = self.set(self.reserve(), text)
        return self._shared[key]

    def variable(self, name: str, kind: str, defined: bool = True) -> str:
        """A global variable of a type that has a number."""
        var = self.set(
            self.reserve(),
            f"distinct !DIGlobalVariable(name: {quote(name)}, scope: {self.unit},"
            f" file: {self.main}, line: 1, type: {kind}, isLocal: false,"
            f" isDefinition: {'true' if defined else 'false'})",
        )
        found = self.node(f"!DIGlobalVariableExpression(var: {var}, expr: !DIExpression())")
        self.globals.append(found)
        return found

    # --- types -----------------------------------------------------------------------------------

    def type(self, t: Type) -> str:
        """The number of a type; `null` for void."""
        if t is NONE.type or t is None:
            return "null"
        if t not in self._types:
            self._types[t] = self._type(t)
        return self._types[t]

    def _type(self, t: Type) -> str:
        if t is int:
            return self.base(8, True)
        if t is bool:
            return self.node('!DIBasicType(name: "_Bool", size: 8, encoding: DW_ATE_boolean)')
        if is_ptr(t) and (tag := getattr(t, "tag", "")):
            return self._tagged(t.to, tag)
        if is_ptr(t):
            return self.pointer(self.type(t.to) if _describable(t.to) else "null")
        if isinstance(t, ArrayType):
            return self.array(self.type(types.typeof(t.elem)), t.count, sizeof(t))
        if is_struct(t):
            return self._struct(t)
        if is_int(t):
            return self._int(t)
        return self.pointer("null")  # functions, and what is constant when compiling

    def _parameter(self, t: Type, notes: tuple[str, ...]) -> str:
        """The type of a parameter; of those into the kernel only tagged ones matter."""
        return self.pointer(self._named(t.to)) if "arg:trusted" in notes else self.type(t)

    def _notes(self, tags: Iterable[str]) -> str:
        """What is said of a member or parameter (btf_decl_tag), if anything."""
        notes = ", ".join(self.node(f'!{{!"btf_decl_tag", !{quote(tag)}}}') for tag in tags)
        return f", annotations: {self.node(f'!{{{notes}}}')}" if notes else ""

    def _named(self, to: Any) -> str:
        """A struct of the kernel, which goes by the name."""
        return self.node(
            f"!DICompositeType(tag: DW_TAG_structure_type, name: {quote(to.__kernel__)},"
            f" file: {self.main}, line: 1, size: 0, elements: {self.node('!{}')})"
        )

    def _tagged(self, to: Any, tag: str) -> str:
        """A pointer to a struct of the kernel that means something to it."""
        struct = self._named(to)
        note = self.node(f'!{{!"btf_type_tag", !{quote(tag)}}}')
        return self.node(
            f"!DIDerivedType(tag: DW_TAG_pointer_type, baseType: {struct}, size: 64,"
            f" annotations: {self.node(f'!{{{note}}}')})"
        )

    def _int(self, t: Any) -> str:
        if t is types.char:
            return self.node('!DIBasicType(name: "char", size: 8, encoding: DW_ATE_signed_char)')
        base = self.base(t.size, t.signed)
        members = getattr(t, "enum", None)
        if members is None:
            # BTF takes names of C only, so atomic[u64] is a u64.
            name = next(c.__name__ for c in t.__mro__ if c.__name__.isidentifier())
            return self._derived("typedef", base, f"name: {quote(name)}, file: {self.main}, ")
        values = (
            f"!DIEnumerator(name: {quote(m.name)}, value: {m.value}"
            f"{'' if t.signed else ', isUnsigned: true'})"
            for m in members
        )
        elements = self.node(f"!{{{', '.join(map(self.node, values))}}}")
        return self.node(
            f"!DICompositeType(tag: DW_TAG_enumeration_type, name: {quote(t.__name__)},"
            f" file: {self.main}, baseType: {base}, size: {t.bits}, elements: {elements})"
        )

    def base(self, size: int, signed: bool) -> str:
        """An integer type of C."""
        name, encoding = _BASES[size, signed]
        return self.node(
            f'!DIBasicType(name: "{name}", size: {size * 8}, encoding: DW_ATE_{encoding})'
        )

    def _derived(self, tag: str, base: str, more: str = "") -> str:
        return self.node(f"!DIDerivedType(tag: DW_TAG_{tag}, {more}baseType: {base})")

    def pointer(self, to: str) -> str:
        return self.node(f"!DIDerivedType(tag: DW_TAG_pointer_type, baseType: {to}, size: 64)")

    def const(self, of: str) -> str:
        return self._derived("const_type", of)

    def array(self, elem: str, count: int, size: int) -> str:
        """An array of so many elements and bytes."""
        elements = self.node(f"!{{{self.node(f'!DISubrange(count: {count})')}}}")
        return self.node(
            f"!DICompositeType(tag: DW_TAG_array_type, baseType: {elem}, size: {size * 8},"
            f" elements: {elements})"
        )

    def _struct(self, t: Any) -> str:
        number = self._types[t] = self.reserve()
        parts = fields(t)
        overlap = len(parts) > 1 and not any(f.offset for f in parts.values())
        members = [
            (name, self.type(types.typeof(f.type)), sizeof(f.type), f.offset)
            for name, f in parts.items()
        ]
        tags = {n: f.type.tag for n, f in parts.items() if hasattr(f.type, "contains")}
        return self.composite(
            number,
            "union" if overlap else "structure",
            getattr(t, "__cname__", t.__name__),
            sizeof(t),
            members,
            tags,
        )

    def composite(
        self, number: str, tag: str, name: str, size: int,
        members: list[tuple[str, str, int, int]], tags: Mapping[str, str] = MappingProxyType({}),
    ) -> str:  # fmt: skip
        """A struct or union of members with number of type, size and offset in bytes; `tags`: what
        is said of them."""
        nodes = [
            self.node(
                f"!DIDerivedType(tag: DW_TAG_member, name: {quote(n)}, scope: {number},"
                f" file: {self.main}, baseType: {t}, size: {s * 8}, offset: {at * 8}"
                f"{self._notes([tags[n]] if n in tags else ())})"
            )
            for n, t, s, at in members
        ]
        elements = self.node(f"!{{{', '.join(nodes)}}}")
        named = f"name: {quote(name)}, " if name else ""
        return self.set(
            number,
            f"distinct !DICompositeType(tag: DW_TAG_{tag}_type, {named}file: {self.main},"
            f" line: 1, size: {size * 8}, elements: {elements})",
        )

    # --- maps ------------------------------------------------------------------------------------

    def map(self, m: AnyMap[Any, Any]) -> tuple[str, int]:
        """The type that spells a map's definition, and how many pointers it is made of."""
        from ebee.maps import by_name

        declared = by_name(m.type)
        assert declared is not None
        numbers = {"type": declared.id, "max_entries": m.max_entries, "map_flags": m.flags,
                   "pinning": int(m.pinned), "map_extra": m.map_extra}  # fmt: skip
        if m.sizes is not None:
            numbers |= {"key_size": m.sizes[0], "value_size": m.sizes[1]}
        count = {k: self.pointer(self.array(self.base(4, True), n, 4 * n))
                 for k, n in numbers.items() if n}  # fmt: skip
        if m.sizes is None:
            sides = {"key": m.key, "value": None if m.inner is not None else m.value}
            count |= {n: self.pointer(self.type(t)) for n, t in sides.items() if t is not None}
        members = [(name, t, 8, 8 * i) for i, (name, t) in enumerate(count.items())]
        size = len(members)
        if m.inner is not None:
            held = self.pointer(self.map(m.inner)[0])
            members.append(("values", self.array(held, 0, 0), 0, 8 * size))
        return self.composite(self.reserve(), "structure", "", 8 * size, members), size


def _describable(t: Any) -> bool:
    return t is None or is_integer(t) or is_struct(t) or isinstance(t, PtrType | ArrayType)


_ESCAPES = {b: f"\\{b:02X}" for b in range(256) if not 32 <= b < 127 or b in b'"\\'}


def quote(text: str) -> str:
    """A string as IR writes it."""
    return f'"{text.encode().decode("latin-1").translate(_ESCAPES)}"'


__all__ = ["Debug", "quote"]
