"""Python skeletons: an object as a typed module, for editors, mypy and people.

    Path("firewall_skel.py").write_text(generate(load("firewall.o")))

The module holds the object itself, a dataclass for every struct that keys, values and variables
have, and a class whose attributes are the maps, programs and variables.
"""

from __future__ import annotations

import base64
import keyword
import re
import textwrap
import zlib
from dataclasses import dataclass

from ebee.btf import Btf
from ebee.btf import nodes as kinds
from ebee.btf.records import Aggregate, node_of
from ebee.maps import by_name
from ebee.obj.spec import MapSpec, ObjectSpec
from ebee.obj.writer import write

_RESERVED = {"Any", "dataclass", "field", "skel", "Maps", "Programs", "Variables"}
_BASES = ("int", "str", "bool", "float", "bytes", "list", "object", "type")
WIDTH = 96


def generate(spec: ObjectSpec) -> str:
    """The text of a module. ObjectError as from writing the object."""
    return _Generator(spec).text()


@dataclass(frozen=True)
class _Kind:
    """A Python type: its name in the module, and an expression for its empty value."""

    name: str
    default: str
    mutable: bool = False

    @property
    def initial(self) -> str:
        """The default in a dataclass."""
        return f"field(default_factory=lambda: {self.default})" if self.mutable else self.default


class _Generator:
    def __init__(self, spec: ObjectSpec):
        self.spec = spec
        title = identifier(re.sub(r"\W|_", "", spec.name.title(), flags=re.ASCII)) or "Object"
        self.title = f"{title}Object" if title in _RESERVED else title
        self.maps = {n: m for n, m in spec.maps.items() if _typed(m)}
        named = [*self.maps, *spec.programs, *spec.variables]
        self.taken = {identifier(n) for n in named} | _RESERVED | set(_BASES) | {self.title}
        self.classes: dict[int, str] = {}
        self.bodies: list[str] = []

    def text(self) -> str:
        """The whole module."""
        parts = [
            self.part("Maps", [self.map(n, m) for n, m in self.maps.items()]),
            self.part(
                "Programs", [_line(n, f"skel.ProgramOf({_quoted(n)})") for n in self.spec.programs]
            ),
            self.part("Variables", self.variables()),
        ]
        content = base64.b64encode(zlib.compress(write(self.spec), 9)).decode()
        lines = "\n".join(f'        "{line}"' for line in textwrap.wrap(content, WIDTH - 12))
        whole = [
            f'"""{self.spec.name}: made by `ebee gen skeleton`; changes here are lost."""',
            "from __future__ import annotations\n\nfrom dataclasses import dataclass, field\n\n"
            "from ebee.obj import skel",
            *self.bodies,
            *parts,
            f"class {self.title}(skel.Skeleton):\n"
            f'    """The object {self.spec.name}."""\n\n'
            f"    NAME = {_quoted(self.spec.name)}\n    CONTENT = (\n{lines}\n    )\n\n"
            "    def __init__(self) -> None:\n        super().__init__()\n"
            "        self.maps = Maps(self)\n        self.programs = Programs(self)\n"
            "        self.variables = Variables(self)",
        ]
        if not any("field(" in body for body in self.bodies):
            whole[1] = whole[1].replace("dataclass, field", "dataclass")
        if not self.bodies:
            whole[1] = whole[1].replace("from dataclasses import dataclass\n\n", "")
        return "\n\n\n".join([whole[0] + "\n\n" + whole[1], *whole[2:]]) + "\n"

    @staticmethod
    def part(name: str, lines: list[str]) -> str:
        """The class of maps, programs or variables."""
        about = f'    """The object\'s {name.lower()}."""'
        return "\n".join([f"class {name}(skel.{name}):", about, *([""] if lines else []), *lines])

    def map(self, name: str, made: MapSpec) -> str:
        declared = by_name(made.type)
        key = self.side(made.key_btf_id, made.key_size)
        value = self.side(made.value_btf_id, made.value_size)
        held = f"list[{value.name}]" if declared and declared.per_cpu else value.name
        return _line(name, f"skel.MapOf({_quoted(name)}, {key.name}, {held})")

    def variables(self) -> list[str]:
        found = []
        for name, variable in self.spec.variables.items():
            kind = self.side(variable.btf_id, variable.size)
            found.append(_line(name, f"skel.Variable({_quoted(name)}, {kind.name})"))
        return found

    # -- types -------------------------------------------------------------------------------

    def side(self, btf_id: int, size: int) -> _Kind:
        """The type of a key, value or variable, as ebee.obj.spec.value_codec decodes it."""
        if self.spec.btf is not None and btf_id:
            return self.kind(self.spec.btf, node_of(self.spec.btf, btf_id))
        return _Kind("int", "0") if size in (1, 2, 4, 8) else _Kind("bytes", f"bytes({size})")

    def kind(self, btf: Btf, node: kinds.Node) -> _Kind:
        """The Python type that a node of the codec decodes to."""
        match node:
            case Aggregate():
                name = self.dataclass(btf, node)
                return _Kind(name, f"{name}()", True)
            case kinds.Elements():
                inner = self.kind(btf, node.element)
                return _Kind(
                    f"list[{inner.name}]",
                    f"[{inner.default} for _ in range({node.count})]",
                    True,
                )
            case kinds.Bool():
                return _Kind("bool", "False")
            case kinds.Real():
                return _Kind("float", "0.0")
            case kinds.Chars():
                return _Kind("str", '""')
            case kinds.Raw():
                return _Kind("bytes", f"bytes({node.size})")
        return _Kind("int", "0")

    def dataclass(self, btf: Btf, node: Aggregate) -> str:
        """The name of a struct's or union's dataclass, which is written when it is first used."""
        known = self.classes.get(node.found.id)
        if known is not None:
            return known
        name = identifier(node.found.name or f"anonymous_{len(self.classes) + 1}")
        while name in self.taken:
            name += "_t"
        self.taken.add(name)
        self.classes[node.found.id] = name
        lines = []
        for member in node.fields.values():
            kind = self.kind(btf, member.node)
            label = identifier(member.name)
            renamed = f'metadata={{"c": {member.name!r}}}' if label != member.name else ""
            if member.name in node.shared and not member.bits:
                kind = _Kind(f"{kind.name} | None", "None")
            initial = kind.initial
            if renamed:
                given = f"default_factory=lambda: {kind.default}" if kind.mutable else ""
                initial = f"field({given or f'default={kind.default}'}, {renamed})"
            lines.append(f"    {label}: {kind.name} = {initial}")
        about = f'    """{node.label}, {node.size} bytes."""'
        body = [*([""] if lines else []), *lines]
        self.bodies.append("\n".join(["@dataclass", f"class {name}:", about, *body]))
        return name


def _typed(made: MapSpec) -> bool:
    """Whether a map has elements that user space reads and writes by value."""
    declared = by_name(made.type)
    plain = declared is not None and "lookup" in declared.user and declared.handle is None
    return plain and not made.name.startswith(".") and made.type != "struct_ops"


def _line(name: str, value: str) -> str:
    return f"    {identifier(name)} = {value}"


def _quoted(text: str) -> str:
    """A string as Python source, with the quotation marks that formatters like."""
    import json

    return json.dumps(text)


def identifier(name: str) -> str:
    """A name that Python takes."""
    made = re.sub(r"\W", "_", name, flags=re.ASCII)
    made = f"_{made}" if made[:1].isdigit() else made
    return f"{made}_" if keyword.iskeyword(made) or made.startswith("__") else made
