"""`ebee obj`: what is in an object file."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.listing import core_text
from ebee.cli.source import read_spec
from ebee.errors import EbeeError

if TYPE_CHECKING:
    from ebee.obj.spec import (
        ExternSpec,
        FunctionSpec,
        MapSpec,
        ObjectSpec,
        ProgramSpec,
        VariableSpec,
    )

LONG = 48
"""Characters of a value in a table."""


@click.group()
def obj() -> None:
    """Look into object files."""


@obj.command()
@click.argument("file")
@click.option("--refs", is_flag=True, help="Every single reference, with its place.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show(file: str, refs: bool, as_json: bool) -> None:
    """Show what is in FILE (an object, or C source): programs, maps, variables, references."""
    spec = read_spec(file)
    made = document(spec)
    made["sections"] = sections(file)
    if as_json:
        report.print_json(made)
        return
    report.show_fields(spec.name, {
        "licence": spec.license or "none",
        "byte order": spec.endian,
        "kernel": f"made for version {made['version']:#x}" if made["version"] else "",
        "types": f"{made['btf_types']:,} (BTF)" if spec.btf else "no BTF",
        "sources": ", ".join(map(report.path, made["sources"])),
    })  # fmt: skip
    for title, columns, rows in tables(made, refs):
        if rows:
            used = [i for i in range(len(columns)) if any(row[i] not in (None, "") for row in rows)]
            cells = [[row[i] for i in used] for row in rows]
            report.show("", report.table(title, [columns[i] for i in used], cells))


def tables(made: dict[str, Any], refs: bool) -> list[tuple[str, tuple[str, ...], list[Any]]]:
    """The document as tables: (title, columns, rows)."""
    functions = {**made["programs"], **made["functions"]}
    plain = [
        (name, m["type"], m["key"], m["value"], m["max_entries"] or None, m["flags_text"],
         ", ".join(f"{k} {v}" for k, v in m["more"].items()))
        for name, m in made["maps"].items() if not m["data"]
    ]  # fmt: skip
    found: list[tuple[Any, ...]]
    if refs:
        columns: tuple[str, ...] = ("function", "slot", "kind", "symbol", "addend")
        found = [
            (name, r["slot"], r["kind"], r["core"] or r["symbol"], r["addend"] or None)
            for name, f in functions.items() for r in f["refs"]
        ]  # fmt: skip
    else:
        columns = ("function", "kind", "symbol", "times")
        counted = Counter(
            (name, r["kind"], r["core"] or r["symbol"])
            for name, f in functions.items()
            for r in f["refs"]
        )
        found = [(*key, n) for key, n in counted.items()]
    return [
        ("Sections", ("section", "bytes", "holds"), [
            (s["name"], s["size"], s["holds"]) for s in made["sections"] if s["holds"] and s["size"]
        ]),
        ("Programs", ("name", "hook", "section", "attaches to", "slots", "flags", "loaded"), [
            (name, p["hook"], p["section"], p["attach_to"], p["slots"], p["flags_text"],
             "yes" if p["autoload"] else "when asked for")
            for name, p in made["programs"].items()
        ]),
        ("Functions", ("name", "section", "linkage", "slots"), [
            (name, f["section"], f["linkage"] + (", weak" if f["weak"] else ""), f["slots"])
            for name, f in made["functions"].items()
        ]),
        ("Maps", ("name", "type", "key", "value", "entries", "flags", "more"), plain),
        ("Global data", ("map", "bytes", ""), [
            (name, m["value_size"], "constant" if m["readonly"] else "")
            for name, m in made["maps"].items() if m["data"]
        ]),
        ("Variables", ("name", "type", "map", "value"), [
            (name, v["type"], v["map"], _short(v["value"])) for name, v in made["variables"].items()
        ]),
        ("Externs", ("name", "kind", "declaration", "weak"), [
            (name, e["kind"], e["type"], e["weak"]) for name, e in made["externs"].items()
        ]),
        ("References", columns, found),
    ]  # fmt: skip


PARTS = {
    ".maps": "maps", "maps": "maps (old style)", "license": "licence", "version": "kernel version",
    ".BTF": "types", ".BTF.ext": "functions, lines, CO-RE", ".ksyms": "kernel symbols",
    ".kconfig": "kernel configuration",
}  # fmt: skip
"""What sections of these names hold."""


def sections(file: str) -> list[dict[str, Any]]:
    """The sections of an object file; none of source, nor of standard input, which is read once.
    `holds`: what is in it for BPF, "" for what only linkers and debuggers look at."""
    from pathlib import Path

    from ebee.cli.source import C_SUFFIXES, PYTHON_SUFFIXES, STDIN, read_bytes
    from ebee.obj import elf

    if file == STDIN or Path(file).suffix in C_SUFFIXES | PYTHON_SUFFIXES:
        return []
    kinds = {elf.SHT_PROGBITS: "data", elf.SHT_NOBITS: "data (zero)"}
    found = []
    for section in elf.read(read_bytes(file), file).sections[1:]:
        holds = PARTS.get(section.name, "")
        if not holds and section.type in kinds and not section.name.startswith((".debug", ".eh_")):
            holds = "code" if section.flags & elf.SHF_EXECINSTR else ""
            if not holds and section.flags & elf.SHF_ALLOC:
                holds = kinds[section.type] if section.flags & elf.SHF_WRITE else "constants"
        found.append({
            "name": section.name, "size": section.size, "type": section.type,
            "flags": section.flags, "holds": holds,
        })  # fmt: skip
    return found


def _short(value: Any) -> str:
    text = report.compact(value)
    return text if len(text) <= LONG else f"{text[: LONG - 3]}..."


def document(spec: ObjectSpec) -> dict[str, Any]:
    """All that is in a spec, as JSON has it."""
    code = [*spec.programs.values(), *spec.functions.values()]
    return {
        "name": spec.name,
        "license": spec.license,
        "endian": spec.endian,
        "version": spec.version,
        "btf_types": len(spec.btf) if spec.btf else 0,
        "sources": sorted({line.file for f in code for line in f.lines}),
        "warnings": spec.warnings,
        "programs": {name: _program(spec, p) for name, p in spec.programs.items()},
        "functions": {name: _function(spec, f) for name, f in spec.functions.items()},
        "maps": {name: _map(spec, m) for name, m in spec.maps.items()},
        "variables": {name: _variable(spec, v) for name, v in spec.variables.items()},
        "externs": {
            name: {"kind": e.kind, "weak": e.weak, "type": _declaration(spec, e)}
            for name, e in spec.externs.items()
        },
    }


def _function(spec: ObjectSpec, f: FunctionSpec) -> dict[str, Any]:
    refs = [
        {
            "slot": r.slot,
            "kind": r.kind,
            "symbol": r.symbol,
            "addend": r.addend,
            "core": core_text(r, spec.btf) if r.kind == "core" else None,
        }
        for r in f.refs
    ]
    return {
        "section": f.section,
        "slots": len(f.insns),
        "linkage": f.linkage,
        "weak": f.weak,
        "lines": len(f.lines),
        "refs": refs,
    }


def _program(spec: ObjectSpec, p: ProgramSpec) -> dict[str, Any]:
    from ebee.linux.flags import BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS

    names = {BPF_F_SLEEPABLE: "sleepable", BPF_F_XDP_HAS_FRAGS: "frags"}
    return _function(spec, p) | {
        "hook": p.hook,
        "attach_to": p.attach_to,
        "attach_type": p.attach_type,
        "flags": p.flags,
        "flags_text": _flags(p.flags, names),
        "autoload": p.autoload,
    }


def _flags(flags: int, names: dict[int, str]) -> str:
    rest = flags & ~sum(names)
    known = [name for bit, name in names.items() if flags & bit]
    return ", ".join([*known, hex(rest)] if rest else known)


def _map(spec: ObjectSpec, m: MapSpec) -> dict[str, Any]:
    from ebee.linux import uapi

    names = {
        value: name.removeprefix("BPF_F_").lower()
        for name, value in vars(uapi).items()
        if name.startswith("BPF_F_") and name.removeprefix("BPF_F_") in MAP_FLAGS
    }
    more: dict[str, Any] = {
        "pinned": "by name" if m.pinning else None,
        "map_extra": m.map_extra or None,
        "numa_node": m.numa_node,
        "inner": m.inner and m.inner.type,
        "holds": ", ".join(f"{i}: {name}" for i, name in m.contents.items()) or None,
    }
    return {
        "type": m.type,
        "key_size": m.key_size,
        "value_size": m.value_size,
        "key": _typed(spec, m.key_btf_id, m.key_size),
        "value": _typed(spec, m.value_btf_id, m.value_size),
        "max_entries": m.max_entries,
        "flags": m.flags,
        "flags_text": _flags(m.flags, names),
        "readonly": m.readonly,
        "data": m.data is not None or m.name.startswith("."),
        "more": {name: value for name, value in more.items() if value is not None},
    }


MAP_FLAGS = {
    "NO_PREALLOC", "NO_COMMON_LRU", "NUMA_NODE", "RDONLY", "WRONLY", "STACK_BUILD_ID", "ZERO_SEED",
    "RDONLY_PROG", "WRONLY_PROG", "CLONE", "MMAPABLE", "PRESERVE_ELEMS", "INNER_MAP", "LINK",
    "PATH_FD", "VTYPE_BTF_OBJ_FD", "TOKEN_FD", "SEGV_ON_FAULT", "NO_USER_CONV",
}  # fmt: skip
"""Flags of maps, without BPF_F_ (enum in include/uapi/linux/bpf.h)."""


def _typed(spec: ObjectSpec, btf_id: int, size: int) -> str:
    if not size:
        return ""
    return type_name(spec, btf_id) or report.plural(size, "byte")


def type_name(spec: ObjectSpec, btf_id: int) -> str:
    """A type as C writes it, on one line; "" where it is not known."""
    if spec.btf is None or not btf_id:
        return ""
    from ebee.btf.printer import oneline

    text = oneline(spec.btf, btf_id)
    head = text.partition(" {")[0]
    return head if head not in ("struct", "union", "enum") else f"{head} (without a name)"


def _declaration(spec: ObjectSpec, extern: ExternSpec) -> str:
    """How C declares an extern."""
    from ebee.btf import Func, Var
    from ebee.btf.printer import declare

    found = spec.btf.type(extern.btf_id) if spec.btf and extern.btf_id else None
    if not isinstance(found, Func | Var) or spec.btf is None:
        return ""
    return declare(spec.btf, found.type, extern.name)


def _variable(spec: ObjectSpec, v: VariableSpec) -> dict[str, Any]:
    try:
        value = v.value
    except EbeeError:
        value = None
    return {
        "map": v.map,
        "offset": v.offset,
        "size": v.size,
        "linkage": v.linkage,
        "type": _typed(spec, v.btf_id, v.size),
        "value": value,
    }
