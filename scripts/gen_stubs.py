"""Writes src/ebee/bpf.pyi, what editors and type checkers know of the kernel's helpers.

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
from ebee.lang.bpf.intrinsics import SCALARS

TARGET = Path(__file__).resolve().parents[1] / "src" / "ebee" / "bpf.pyi"
HEAD = '''"""The kernel's helpers by name. Made by scripts/gen_stubs.py from the declarations."""

from typing import Any

from ebee.lang.bpf.maps import AnyMap
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
    return HEAD.format(types=", ".join(used)) + body


def main() -> int:
    """Write the file, or say whether it is up to date."""
    if "--check" in sys.argv[1:]:
        same = TARGET.exists() and TARGET.read_text() == stub()
        if not same:
            print(f"{TARGET.name} is out of date: run scripts/gen_stubs.py", file=sys.stderr)
        return not same
    TARGET.write_text(stub())
    return 0


if __name__ == "__main__":
    sys.exit(main())
