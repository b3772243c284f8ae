"""How `ebee btf diff` shows changes: an overview, types in full, or what objects make of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ebee.cli import report

if TYPE_CHECKING:
    from rich.text import Text

    from ebee.btf import Btf
    from ebee.btf.diff import Change, Detail

MARKS = {"added": "+", "removed": "-", "renamed": "=", "retyped": "~", "moved": ">", "value": "~"}
STYLES = {"+": "green", "-": "red", "=": "cyan", "~": "yellow", ">": "blue"}


def show(before: Btf, after: Btf, changes: Sequence[Change], full: bool, as_json: bool) -> bool:
    """The changes; whether there are any."""
    if as_json:
        report.print_json({
            "old": before.name, "new": after.name, "changes": [_plain(c) for c in changes]
        })  # fmt: skip
        return bool(changes)
    if not changes:
        print("no differences")
    elif full:
        for number, change in enumerate(changes):
            _show_full(change, first=not number)
    else:
        _show_overview(changes)
    return bool(changes)


def _plain(change: Change) -> dict[str, Any]:
    made = change._asdict() | {"breaking": change.breaking}
    made["details"] = [
        {k: v for k, v in d._asdict().items() if v not in ("", 1) or k == "name"}
        for d in change.details
    ]
    return made


# -- in full ---------------------------------------------------------------------------------------


def _show_full(change: Change, first: bool) -> None:
    from rich.text import Text

    mark = {"added": "+ ", "removed": "- "}.get(change.what, "")
    head = Text(f"{mark}{change.kind} {change.name}", style="bold")
    head.append(_sizes(change), style="dim")
    lines = [_line(detail) for detail in change.details]
    report.show(*([] if first else [""]), head, *lines)


def _sizes(change: Change) -> str:
    if change.what != "changed":
        size = change.old_size or change.new_size
        return f"  {size:,} bytes" if size else ""
    if change.old_size == change.new_size:
        return f"  {change.new_size:,} bytes" if change.new_size else ""
    by = change.new_size - change.old_size
    return f"  {change.old_size:,} → {change.new_size:,} bytes ({by:+,})"


def _line(detail: Detail) -> Text:
    from rich.text import Text

    mark = MARKS[detail.how]
    made = Text(f"  {mark} ", style=STYLES[mark])
    return made.append(_words(detail), style="" if mark in ">=" else STYLES[mark])


def _words(detail: Detail) -> str:
    name, old, new = detail.name, detail.old, detail.new
    place = f" at {detail.offset}" if detail.offset else ""
    match detail.how:
        case "added":
            return f"{name} = {new}" if not place else f"{_declared(new, name)}{place}"
        case "removed":
            was = f", was at {detail.offset}" if detail.offset else ""
            return f"{name} = {old}" if not place else f"{_declared(old, name)}{was}"
        case "renamed":
            return f"{old} is now {name}{place}"
        case "moved":
            far = _distance(old, new)
            whole = f"{name} … {detail.last} ({detail.times} members)" if detail.last else name
            return f"{whole}: {old} → {new}{far}"
    return f"{name}: {old} → {new}" if name else f"{old} → {new}"


def _declared(kind: str, name: str) -> str:
    kind, _, bits = kind.partition(" : ")
    text = f"{kind}{name}" if kind.endswith("*") else f"{kind} {name}"
    return f"{text} : {bits}" if bits else text


def _distance(old: str, new: str) -> str:
    """By how much, where both are whole bytes."""
    return f" ({int(new) - int(old):+,})" if ":" not in old + new else ""


# -- overview --------------------------------------------------------------------------------------


def _show_overview(changes: Sequence[Change]) -> None:
    counted = Counter((change.kind, change.what) for change in changes)
    kinds = dict.fromkeys(change.kind for change in changes)
    rows = [[kind, *(counted[kind, what] or None for what in ("added", "removed", "changed"))]
            for kind in kinds]  # fmt: skip
    columns = ("kind", "added", "removed", "changed")
    report.show(report.table("Differences", columns, rows, columns[1:]))
    laid_out = [c for c in changes if c.what == "changed" and c.kind in ("struct", "union", "enum")]
    if laid_out:
        cells = [_row(change) for change in laid_out]
        head = ("type", "bytes", "", "+", "-", "=", "~", ">")
        report.show("", report.table("Changed", head, cells, head[1:]))
        report.show("", "+ added  - removed  = renamed  ~ of another type or value  > moved")
    print("In full: name the types (patterns will do), or --full")


def _row(change: Change) -> list[Any]:
    count: Counter[str] = Counter()
    for detail in change.details:
        count[MARKS[detail.how]] += detail.times
    by = change.new_size - change.old_size
    return [f"{change.kind} {change.name}", change.new_size, f"{by:+,}" if by else "",
            *(count[mark] or None for mark in "+-=~>")]  # fmt: skip


# -- what it means for objects ---------------------------------------------------------------------


def show_objects(before: Btf, after: Btf, objects: Iterable[str], as_json: bool) -> bool:
    """What each CO-RE relocation of the objects comes to in both; whether anything differs."""
    rows = [row for path in objects for row in _relocations(path, before, after)]
    differing = [row for row in rows if row["old"] != row["new"]]
    if as_json:
        report.print_json({"old": before.name, "new": after.name, "relocations": rows})
        return bool(differing)
    cells = [[r["object"], r["what"], r["kind"], _value(r["old"]), _value(r["new"])]
             for r in differing]  # fmt: skip
    if cells:
        head = ("object", "what", "relocation", before.name, after.name)
        report.show(report.table("Relocations that come out differently", head, cells, head[3:]))
    lost = sum(row["new"] is None for row in differing)
    same = len(rows) - len(differing)
    print(f"{report.plural(len(rows), 'relocation')}: {same} the same, {len(differing) - lost} "
          f"follow the change, {lost} not to be resolved any more")  # fmt: skip
    return bool(differing)


def _value(value: Any) -> str:
    return "is not there" if value is None else str(value)


def _relocations(path: str, before: Btf, after: Btf) -> list[dict[str, Any]]:
    """Each different relocation of an object, with its value in both (None: not resolvable)."""
    from ebee.btf.core import Relocator
    from ebee.btf.ext import CoreKind
    from ebee.cli.source import read_spec
    from ebee.errors import BtfError
    from ebee.obj.core import relocations

    spec = read_spec(path)
    if spec.btf is None:
        raise BtfError(f"{path} has no types: compile it with -g")
    sides = [Relocator(spec.btf, side) for side in (before, after)]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    ids = (CoreKind.TYPE_ID_LOCAL, CoreKind.TYPE_ID_TARGET)  # mean nothing by themselves
    for relo in relocations(spec):
        if relo.kind in ids or relo[1:] in found:
            continue
        values: list[int | str | None] = []
        what = ""
        for side in sides:
            try:
                result = side.resolve(relo)
                what = str(result.local)
                values.append(None if result.poison else result.new)
            except BtfError as error:
                values.append(error.summary)
        kind = relo.kind.name.lower()
        found[relo[1:]] = {"object": spec.name, "what": what, "kind": kind,
                           "old": values[0], "new": values[1]}  # fmt: skip
    return list(found.values())
