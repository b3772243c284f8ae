"""How specs, objects and maps look in a notebook: tables of HTML, with everything escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

from ebee.errors import EbeeError

if TYPE_CHECKING:
    from ebee.obj.handles import Map, Object
    from ebee.obj.spec import MapSpec, ObjectSpec, ProgramSpec

ROWS = 20
"""Elements of a map that are shown."""

NUMBER = ' style="text-align: right"'
LEFT = ' style="text-align: left"'


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], note: str = "") -> str:
    """A table under a title.

    >>> table("A <b>", ("x",), [[1]])
    '<p><b>A &lt;b&gt;</b></p><table><thead><tr><th style="text-align: left">x</th></tr></thead>\
<tbody><tr><td style="text-align: right">1</td></tr></tbody></table>'
    """
    head = "".join(f"<th{LEFT}>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    shown = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    below = f"<p><i>{escape(note)}</i></p>" if note else ""
    return f"<p><b>{escape(title)}</b></p>{shown}{below}"


def _cell(value: Any) -> str:
    number = isinstance(value, int) and not isinstance(value, bool)
    return f"<td{NUMBER if number else LEFT}>{escape(_text(value))}</td>"


def _text(value: Any) -> str:
    """A value on one line: `{prefixlen: 8, address: [10, 0, 0, 0]}`."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(getattr(value, "name", "") or f"{value:,}")
    if isinstance(value, bytes):
        return value.hex(" ")
    if hasattr(value, "keys"):
        return "{" + ", ".join(f"{k}: {_text(value[k])}" for k in value.keys()) + "}"  # noqa: SIM118
    if isinstance(value, list | tuple):
        more = ", ..." if len(value) > 16 else ""
        return "[" + ", ".join(map(_text, value[:16])) + more + "]"
    return str(value)


def map_html(m: Map) -> str:
    """A live map: its first elements, a column for each member of keys and of values."""
    title = f"{m.name}: {m.type}"
    try:
        found = list(islice(m.items(), ROWS + 1))
    except EbeeError as error:  # a notebook shows what it can: a ring buffer has no elements
        return table(title, ("", ""), [("max_entries", m.max_entries)], note=str(error))
    values = [v.sum() if m.per_cpu and _addable(v) else v for _, v in found]
    parts = [("key", [k for k, _ in found]), ("value", values)]
    columns = [column for name, cells in parts for column in _columns(name, cells)]
    rows = [
        [cell for name, cells in parts for cell in _spread(cells[i], _columns(name, cells))]
        for i in range(min(len(found), ROWS))
    ]
    notes = ["sums over all CPUs"] if m.per_cpu and found and _addable(found[0][1]) else []
    if len(found) > ROWS:
        notes.append(f"the first {ROWS} elements, of at most {m.max_entries:,}")
    if not found:
        notes.append(f"empty, of at most {m.max_entries:,} elements")
    return table(title, columns, rows, "; ".join(notes))


def _addable(values: Any) -> bool:
    try:
        values.sum()
    except (AttributeError, IndexError, TypeError):
        return False
    return True


def _columns(name: str, cells: Sequence[Any]) -> list[str]:
    """The members of keys or values, where they have some."""
    keys = getattr(cells[0], "keys", None) if cells else None
    return [str(k) for k in keys()] if keys else [name]


def _spread(value: Any, columns: Sequence[str]) -> list[Any]:
    return [value[column] for column in columns] if hasattr(value, "keys") else [value]


def object_html(obj: Object) -> str:
    """A live object: programs, maps and variables with their values."""
    spec = obj.spec
    programs = [(n, p.hook, len(p.spec.insns)) for n, p in obj.programs.items()]
    maps = [_map_row(m) for n, m in spec.maps.items() if n in obj.maps and m.data is None]
    variables = [(n, v.value, "constant" if v.readonly else "") for n, v in obj.variables.items()]
    return (
        table(f"{type(obj).__name__} {obj.name}", ("program", "hook", "instructions"), programs)
        + table("Maps", MAP_COLUMNS, maps)
        + table("Variables", ("name", "value", ""), variables)
    )


MAP_COLUMNS = ("map", "type", "key bytes", "value bytes", "max_entries", "flags")


def _map_row(m: MapSpec) -> tuple[Any, ...]:
    return (
        m.name,
        m.type,
        m.key_size,
        m.value_size,
        m.max_entries,
        hex(m.flags) if m.flags else "",
    )


def spec_html(spec: ObjectSpec) -> str:
    """An object's spec: programs, maps, and variables with their first values."""
    programs = [(n, p.hook, p.section, len(p.insns)) for n, p in spec.programs.items()]
    maps = [_map_row(m) for m in spec.maps.values() if m.data is None and m.name not in SECTIONS]
    variables = [(n, v.value, v.map) for n, v in spec.variables.items()]
    parts = [
        table(f"{spec.name} ({spec.license or 'no licence'})",
              ("program", "hook", "section", "instructions"), programs),
        table("Maps", MAP_COLUMNS, maps),
        table("Variables", ("name", "first value", "section"), variables) if variables else "",
        "".join(f"<p><i>{escape(warning)}</i></p>" for warning in spec.warnings),
    ]  # fmt: skip
    return "".join(parts)


SECTIONS = (".bss", ".data", ".rodata", ".kconfig")


def map_spec_html(m: MapSpec) -> str:
    """A map's spec."""
    return table(m.name, MAP_COLUMNS[1:], [_map_row(m)[1:]])


def program_html(program: ProgramSpec) -> str:
    """A program's spec, with its instructions as the kernel writes them."""
    from ebee import isa

    lines = {line.slot: line for line in program.lines}
    rows = []
    for shown in isa.disassemble(program.insns):
        line = lines.get(shown.slot)
        rows.append((str(shown.slot), shown.text, line.text.strip() if line else ""))
    more = len(rows) - 10 * ROWS
    note = f"and {more:,} more instructions" if more > 0 else ""
    title = f"{program.name}: {program.section}, {len(program.insns):,} instructions"
    return table(title, ("", "instruction", "source"), rows[: 10 * ROWS], note)
