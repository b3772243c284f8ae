"""Static linking: several objects become one, as `bpftool gen object` makes them.

Names that are global must be defined once, or weakly; what is declared in one object and defined
in another finds its definition. Static functions and variables keep to themselves (a taken name
gets the object's behind it). Data sections of one name follow each other in the order of the
objects; types are joined where they are the same. The rules are those of libbpf's linker.c.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TypeVar

from ebee.btf import Func, Var
from ebee.btf.match import types_compatible
from ebee.errors import BtfError, ObjectError
from ebee.obj.linktypes import Types
from ebee.obj.spec import (
    ExternSpec,
    FunctionSpec,
    MapSpec,
    ObjectSpec,
    ProgramSpec,
    Ref,
    VariableSpec,
)

Defined = FunctionSpec | MapSpec | VariableSpec
F = TypeVar("F", bound=FunctionSpec)
ALIGN = 8
"""Of a data section's part when its variables do not say more."""


@dataclass
class Part:
    """One object on its way into the linked one."""

    spec: ObjectSpec
    names: dict[str, str] = field(default_factory=dict)
    """Its own names that change: of static things whose name is taken."""
    dropped: set[str] = field(default_factory=set)
    """Weak definitions that another object's replaces."""
    starts: dict[str, int] = field(default_factory=dict)
    """Data map -> where its data begins in the linked map."""


def link_objects(specs: Iterable[ObjectSpec], name: str = "linked") -> ObjectSpec:
    """One object of several; none of them is changed.

    ObjectError when a name is defined twice, when a declaration does not fit its definition, or
    the objects differ in byte order or license. What none of them defines stays an extern.

    >>> link_objects([load("main.o"), load("library.o")])       # doctest: +SKIP
    """
    parts = [Part(spec) for spec in specs]
    if not parts:
        raise ObjectError("there are no objects to link")
    return _Linker(parts, name).link()


def _is_data(made: MapSpec) -> bool:
    return made.name.startswith(".")


def _things(spec: ObjectSpec) -> Iterable[tuple[str, str, Defined]]:
    """(name, what it is, definition) of all that can be named."""
    code = chain(spec.functions.items(), spec.programs.items())
    yield from ((name, "func", f) for name, f in code)
    yield from ((name, "map", m) for name, m in spec.maps.items() if not _is_data(m))
    yield from ((name, "var", v) for name, v in spec.variables.items())


def _is_static(thing: Defined) -> bool:
    if isinstance(thing, FunctionSpec):
        return thing.linkage == "static" and not thing.hidden
    return isinstance(thing, VariableSpec) and thing.linkage == "static"


class _Linker:
    def __init__(self, parts: Sequence[Part], name: str):
        self.parts = parts
        first = parts[0].spec
        self.out = ObjectSpec(name, endian=first.endian)
        self.owners: dict[str, tuple[Part, str, Defined]] = {}
        for part in parts:
            if part.spec.endian != first.endian:
                text = f"{part.spec.name} is {part.spec.endian}-endian, {first.name} is not"
                raise ObjectError(f"cannot link {name}: {text}")

    def link(self) -> ObjectSpec:
        """The linked object, each kind of thing in its turn."""
        self.out.license = self.same({part.spec.license: part for part in self.parts}, "license")
        versions = {str(part.spec.version or ""): part for part in self.parts}
        self.out.version = int(self.same(versions, "version") or 0)
        for part in self.parts:
            self.define(part)
        self.rename()
        self.check_externs()
        for part in self.parts:
            self.place_data(part)
        types = Types(self.parts, self.owners, self.out)
        for part in self.parts:
            self.copy_maps(part, types)
        for part in self.parts:
            self.copy_rest(part, types)
        self.out.btf = types.btf
        types.set_sections()
        self.out.warnings = [w for part in self.parts for w in part.spec.warnings]
        return self.out

    def same(self, found: dict[str, Part], what: str) -> str:
        """The license or version, in which the objects that have one must agree."""
        said = [(text, part.spec.name) for text, part in found.items() if text]
        if len(said) > 1:
            (one, first), (other, second) = said[:2]
            text = f"the {what} of {first} is {one!r}, that of {second} {other!r}"
            raise ObjectError(f"cannot link {self.out.name}: {text}")
        return said[0][0] if said else ""

    def define(self, part: Part) -> None:
        """Find out which definition of each global name counts."""
        for name, kind, thing in _things(part.spec):
            if _is_static(thing):
                continue
            known = self.owners.get(name)
            if known is None:
                self.owners[name] = part, kind, thing
                continue
            owner, other_kind, other = known
            pair = f"{owner.spec.name} and {part.spec.name}"
            if kind != other_kind:
                raise ObjectError(f"{name} is not the same kind of thing in {pair}")
            if isinstance(thing, MapSpec) and not _fits(thing, other):
                raise ObjectError(f"map {name} is defined differently in {pair}")
            if thing.weak or other.weak:
                if other.weak and not thing.weak:
                    owner.dropped.add(name)
                    self.owners[name] = part, kind, thing
                else:
                    part.dropped.add(name)
                continue
            raise ObjectError(f"{name} is defined in {pair}; make one of them __weak or static")

    def rename(self) -> None:
        """Give static things names of their own."""
        taken = set(self.owners) | {n for part in self.parts for n in part.spec.externs}
        for part in self.parts:
            for name, _, thing in _things(part.spec):
                if not _is_static(thing):
                    continue
                new, count = name, 0
                while new in taken:
                    count += 1
                    new = f"{name}@{part.spec.name}" + (f".{count}" if count > 1 else "")
                taken.add(new)
                if new != name:
                    part.names[name] = new

    def check_externs(self) -> None:
        """Whether every definition is what the other objects declare it to be."""
        for part in self.parts:
            for name, extern in part.spec.externs.items():
                if name not in self.owners:
                    continue
                owner, kind, thing = self.owners[name]
                fits = extern.kind == kind
                if fits and extern.kind == "func":
                    fits = self.compatible(part, extern, owner, thing)
                elif fits and isinstance(thing, VariableSpec) and part.spec.btf and extern.btf_id:
                    try:
                        fits = part.spec.btf.sizeof(extern.btf_id) == thing.size
                    except BtfError:  # declared as an array without a length
                        fits = True
                elif fits and isinstance(thing, MapSpec):
                    fits = self.same_map(part, extern, thing)
                if not fits:
                    raise ObjectError(
                        f"{name} is declared in {part.spec.name} not as it is defined in"
                        f" {owner.spec.name}"
                    )

    @staticmethod
    def same_map(part: Part, extern: ExternSpec, thing: MapSpec) -> bool:
        """Whether a map is declared as it is defined."""
        from ebee.obj.maps import definition, without_sizes

        btf = part.spec.btf
        declared = btf.type(extern.btf_id) if btf and extern.btf_id else None
        if btf is None or not isinstance(declared, Var):
            return True
        made = definition(btf, extern.name, declared.type)
        without_sizes(made)
        return _fits(made, thing)

    @staticmethod
    def compatible(part: Part, extern: ExternSpec, owner: Part, thing: Defined) -> bool:
        mine, theirs = part.spec.btf, owner.spec.btf
        if not (mine and theirs and extern.btf_id and isinstance(thing, FunctionSpec)):
            return True
        declared, defined = mine.type(extern.btf_id), theirs.type(thing.btf_id)
        if not (isinstance(declared, Func) and isinstance(defined, Func)):
            return True  # nothing is known of the one or the other
        return types_compatible(mine, declared.type, theirs, defined.type)

    # -- data and maps -----------------------------------------------------------------------

    def place_data(self, part: Part) -> None:
        """Put the data of one object behind that of those before."""
        for name, made in part.spec.maps.items():
            if not _is_data(made):
                continue
            whole = self.out.maps.get(name)
            if whole is None:
                part.starts[name] = 0
                self.out.maps[name] = replace(made, contents={}, value_btf_id=0)
                continue
            if (whole.type, whole.readonly) != (made.type, made.readonly):
                raise ObjectError(f"section {name} is not the same in {part.spec.name} and others")
            start = part.starts[name] = -(-whole.value_size // ALIGN) * ALIGN
            whole.value_size = start + made.value_size
            whole.flags |= made.flags
            if whole.data is not None or made.data is not None:
                whole.data = (whole.data or b"").ljust(start, b"\0") + (made.data or b"")
                whole.data = whole.data.ljust(whole.value_size, b"\0")

    def copy_maps(self, part: Part, types: Types) -> None:
        """The maps that an object defines, and those of its data that hold variables."""
        for name, made in part.spec.maps.items():
            if _is_data(made) or name in part.dropped:
                continue
            copied = types.of_map(part, replace(made, contents=dict(made.contents)))
            copied.contents = {k: part.names.get(v, v) for k, v in made.contents.items()}
            self.out.maps[name] = copied

    def copy_rest(self, part: Part, types: Types) -> None:
        """Variables, functions, programs, and the externs that nobody defines."""
        for name, variable in part.spec.variables.items():
            if name not in part.dropped:
                new = part.names.get(name, name)
                self.out.variables[new] = replace(
                    variable,
                    name=new,
                    offset=variable.offset + part.starts.get(variable.map, 0),
                    btf_id=types.id(part, variable.btf_id),
                    spec=self.out,
                )
        for name, function in part.spec.functions.items():
            if name not in part.dropped:
                made = self.code(part, function, types)
                self.out.functions[made.name] = made
        for name, program in part.spec.programs.items():
            if name not in part.dropped:
                self.out.programs[name] = self.code(part, program, types)
        for name, extern in part.spec.externs.items():
            if name not in self.owners:
                known = self.out.externs.get(name)
                if known is not None and known.kind != extern.kind:
                    raise ObjectError(f"{name} is declared as a {known.kind} and a {extern.kind}")
                weak = extern.weak and (known is None or known.weak)
                own = types.id(part, extern.btf_id) if known is None else known.btf_id
                self.out.externs[name] = ExternSpec(name, extern.kind, own, weak)

    def code(self, part: Part, function: F, types: Types) -> F:
        """A function with its references as they are in the linked object."""
        callback = getattr(function, "exception_callback", "")
        made = replace(
            function,
            name=part.names.get(function.name, function.name),
            insns=list(function.insns),
            lines=list(function.lines),
            refs=[self.ref(part, ref, types) for ref in function.refs],
            btf_id=types.id(part, function.btf_id),
        )
        if isinstance(made, ProgramSpec):
            made.exception_callback = part.names.get(callback, callback)
        return made

    def ref(self, part: Part, ref: Ref, types: Types) -> Ref:
        if ref.kind == "core" and ref.core is not None:
            own = types.id(part, ref.core.type)
            return ref._replace(addend=own, core=ref.core._replace(type=own))
        if ref.kind == "data":
            return self.data_ref(part, ref)
        return ref._replace(symbol=part.names.get(ref.symbol, ref.symbol))

    def data_ref(self, part: Part, ref: Ref) -> Ref:
        """An address in data: of an extern variable, of one that another replaces, or its own."""
        extern = part.spec.externs.get(ref.symbol)
        if extern is not None:
            return self.variable_ref(ref, ref.symbol, ref.addend)
        for name in part.dropped:
            lost = part.spec.variables.get(name)
            if lost and lost.map == ref.symbol and 0 <= ref.addend - lost.offset < lost.size:
                return self.variable_ref(ref, name, ref.addend - lost.offset)
        return ref._replace(addend=ref.addend + part.starts.get(ref.symbol, 0))

    def variable_ref(self, ref: Ref, name: str, inside: int) -> Ref:
        if name not in self.owners:
            return ref
        owner, _, variable = self.owners[name]
        assert isinstance(variable, VariableSpec)
        start = variable.offset + owner.starts.get(variable.map, 0)
        return ref._replace(symbol=variable.map, addend=start + inside)


def _fits(one: MapSpec, other: Defined) -> bool:
    """Whether two definitions of a map say the same, but for numbers of types."""
    return isinstance(other, MapSpec) and _plain(one) == _plain(other)


def _plain(made: MapSpec) -> MapSpec:
    return replace(made, key_btf_id=0, value_btf_id=0, contents={}, weak=False, inner=None)
