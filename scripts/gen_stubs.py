"""Writes what editors and type checkers know of declarations: src/ebee/bpf.pyi of the kernel's
helpers, src/ebee/lang/bpf/contexts.pyi of contexts.

python scripts/gen_stubs.py [--check]
"""

from __future__ import annotations

import builtins
import keyword
import re
import sys
import textwrap
from pathlib import Path

from ebee.helpers import Helper, Param, all_helpers
from ebee.hooks import CtxField
from ebee.lang.bpf import contexts, sockets
from ebee.lang.bpf.intrinsics import SCALARS

ROOT = Path(__file__).resolve().parents[1] / "src" / "ebee"
HEAD = '''"""The kernel's helpers by name. Made by scripts/gen_stubs.py from the declarations."""

from typing import Any

from ebee.lang.bpf.maps import AnyMap
from ebee.lang.bpf.sockets import {structs}
from ebee.types import {types}

'''


def argument(p: Param) -> str:
    """The type of a parameter, as Python sees it."""
    if p.kind in SCALARS:
        return "int"
    if p.kind == "map":
        return "AnyMap[Any, Any]"
    return "Any"


def result(p: Param) -> str:
    """The type of a result: None is possible where the kernel may give a null pointer."""
    if p.kind == "void":
        return "None"
    if p.kind in SCALARS:
        return SCALARS[p.kind].__name__
    if p.kind in sockets.POINTED:
        if p.owned:  # for `with`, whose name may be None
            return sockets.POINTED[p.kind].__name__
        return f"{sockets.POINTED[p.kind].__name__}{' | None' if p.nullable else ''}"
    return f"ptr[Any]{' | None' if p.nullable else ''}"


def parameters(helper: Helper) -> str:
    """The parameters as a definition has them."""
    found = []
    for p in helper.params:
        if p.kind == "variadic":
            found.append("*arguments: Any")
            break
        name = f"{p.name}_" if keyword.iskeyword(p.name) else p.name
        found.append(f"{name}: {argument(p)}")
    return ", ".join(found)


def definition(helper: Helper) -> str:
    """One helper."""
    text = f"{helper.doc.strip()}\n\nSince Linux {helper.since}."
    if helper.gpl:
        text += " For programs under a GPL-compatible licence."
    lines = [w for part in text.split("\n") for w in (textwrap.wrap(part, 90) or [""])]
    body = "\n".join(f"    {line}".rstrip() for line in lines).strip()
    body = body.replace("\\", "\\\\")
    head = f"def {helper.name}({parameters(helper)}) -> {result(helper.result)}:"
    if len(head) > 100:
        head = f"def {helper.name}(\n    {parameters(helper)}\n) -> {result(helper.result)}:"
    shadows = "  # noqa: A001" if hasattr(builtins, helper.name) else ""
    return f'{head}{shadows}\n    """{body}"""\n'


def stub() -> str:
    """The whole file."""
    body = "\n".join(definition(h) for h in sorted(all_helpers(), key=lambda h: h.name))
    names = sorted({t.__name__ for t in SCALARS.values()} | {"ptr"})
    used = [name for name in names if re.search(rf"-> {name}\b", body)]
    structs = {t.__name__ for t in sockets.POINTED.values()}
    pointed = sorted(name for name in structs if re.search(rf"-> {name}\b", body))
    return HEAD.format(types=", ".join(used), structs=", ".join(pointed)) + body


# --- contexts ------------------------------------------------------------------------------------

CONTEXTS = '''"""What programs are given. Made by scripts/gen_stubs.py from the declarations."""

from typing import Any

from ebee.hooks import CtxField
from ebee.lang.bpf.packets import Packet
from ebee.lang.bpf.sockets import FlowKeys, Sock, SockCommon
from ebee.types import PtrType, Struct, array, be16, be32, i32, ptr, u8, u32, u64

CONTEXTS: dict[str, Any]
PLAIN: dict[str, Any]
BY_STRUCT: dict[str, str]
METHODS: tuple[str, ...]

def type_of(f: CtxField) -> Any: ...
def fields_of(name: str) -> list[CtxField]: ...
def pointed(t: Any, name: str) -> PtrType | None: ...

class Context(Struct):
    """What a program is given. Contexts are made by the kernel (or the machine) only."""

class _WithPacket(Context):
    def packet(self) -> Packet:
        """The packet, to be parsed from its start."""

class _WithRoom(_WithPacket):
    def push(self, size: int) -> bool:
        """Room for `size` bytes behind the Ethernet header; whether there was some. What was
        parsed before is gone then: begin with `packet()` again."""

    def pop(self, size: int) -> bool:
        """Take `size` bytes behind the Ethernet header away; whether they were there."""
'''
ROOM = ("XdpContext", "SkbContext")
"""Contexts that can make room in their packets."""


def member(f: CtxField) -> str:
    """The type of a context's member."""
    base = f.kind.removesuffix("?")
    if base == "btf":
        return "Any"
    if base.startswith("packet"):
        return "ptr[u8]"
    if base in sockets.POINTED:
        shown = sockets.POINTED[base].__name__
        return f"{shown} | None" if f.kind.endswith("?") else shown
    shown = contexts.type_of(f).__name__
    return f"array[{shown}, Any]" if f.count > 1 else shown


def context(name: str) -> str:
    """One context."""
    found = contexts.fields_of(name)
    packets = any(f.kind == "packet" for f in found)
    base = "_WithRoom" if name in ROOM else "_WithPacket" if packets else "Context"
    doc = "\n    ".join(textwrap.wrap(contexts.CONTEXTS[name].doc, 90))
    members = "\n".join(f"    {f.name}: {member(f)}" for f in found)
    return f'\nclass {name}({base}):\n    """{doc}"""\n\n{members}\n'


def plain(name: str) -> str:
    """A context of one member."""
    only, t, _, doc = contexts.PLAIN[name]
    shown = t.__name__ if isinstance(t, type) else f"array[{t.elem.__name__}, Any]"
    text = "\n    ".join(textwrap.wrap(doc, 90))
    return f'\nclass {name}(Context):\n    """{text}"""\n\n    {only}: {shown}\n'


def contexts_stub() -> str:
    """The whole file."""
    body = "".join(map(context, contexts.CONTEXTS)) + "".join(map(plain, contexts.PLAIN))
    return CONTEXTS + body


FILES = {"bpf.pyi": stub, "lang/bpf/contexts.pyi": contexts_stub}


def main() -> int:
    """Write the files, or say whether they are up to date."""
    old = [f for f, made in FILES.items()
           if not (ROOT / f).exists() or (ROOT / f).read_text() != made()]  # fmt: skip
    if "--check" in sys.argv[1:]:
        for name in old:
            print(f"{name} is out of date: run scripts/gen_stubs.py", file=sys.stderr)
        return bool(old)
    for name in old:
        (ROOT / name).write_text(FILES[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
