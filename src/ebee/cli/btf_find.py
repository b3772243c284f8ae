"""How `ebee btf find` answers: types with their layout, places of members, users."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ebee.cli import report

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.btf.reader import Kind

_PATTERN = re.compile(r"[*?]|^[^.>]*\[")
_PATH = re.compile(r"(\.|->|\[)")
_KEYWORD = re.compile(r"^(struct|union|enum)\s+")


def types(btf: Btf, names: Iterable[str], limit: int | None, as_json: bool) -> None:
    """Types by name or pattern, and places of members."""
    found: list[Any] = []
    for name in names:
        name = _KEYWORD.sub("", name)
        if _PATTERN.search(name):
            found += _matches(btf, name, limit, as_json)
        elif _PATH.search(name):
            found += _places(btf, name, as_json)
        else:
            found += _named(btf, name, as_json)
    if as_json:
        report.print_json(found)


def _named(btf: Btf, name: str, as_json: bool) -> list[Any]:
    from ebee.btf.dump import as_dict
    from ebee.btf.view import view

    ids = btf.find_ids(name) or [btf.find(name).id]
    if as_json:
        return [as_dict(btf.type(id)) for id in ids]
    texts = dict.fromkeys(view(btf, id).rstrip("\n") for id in ids)
    print("\n\n".join(texts))
    return []


def _matches(btf: Btf, pattern: str, limit: int | None, as_json: bool) -> list[Any]:
    from ebee.btf.dump import as_dict
    from ebee.btf.lookup import matching

    ids = sorted({id for _, id in matching(btf, pattern)})
    if not ids:
        from ebee.errors import BtfError

        raise BtfError(btf.missing(pattern).partition(";")[0])
    if as_json:
        return [as_dict(btf.type(id)) for id in ids]
    rows = [(str(id), _kind(btf.type(id)), btf.type(id).name, size_of(btf, id))
            for id in ids[:limit]]  # fmt: skip
    report.show(report.table(pattern, ("id", "kind", "name", "bytes"), rows))
    if limit is not None and len(ids) > limit:
        print(f"... and {len(ids) - limit:,} more: --all shows them")
    return []


def _kind(found: Kind) -> str:
    from ebee.btf.reader import keyword

    return {"func": "function", "var": "variable"}.get(keyword(found), keyword(found))


def size_of(btf: Btf, id: int) -> int | None:
    """Bytes of a type, None for what has no size."""
    from ebee.errors import BtfError

    try:
        return btf.sizeof(id)
    except BtfError:
        return None


def _places(btf: Btf, text: str, as_json: bool) -> list[Any]:
    """Where a member is: of the first type of that name in which the path makes sense."""
    from ebee.btf.lookup import place
    from ebee.btf.printer import oneline
    from ebee.btf.reader import describe
    from ebee.errors import BtfError

    root, path = _split(text)
    ids = btf.find_ids(root) or [btf.find(root).id]
    failure: BtfError | None = None
    for id in ids:
        try:
            found = place(btf, id, path)
        except BtfError as error:
            failure = failure or error
            continue
        at, bit = divmod(found.offset, 8)
        size = size_of(btf, found.type)
        row: dict[str, Any] = {
            "path": text,
            "in": describe(found.owner),
            "offset": at,
            "bit": bit if found.bits else None,
            "bits": found.bits or None,
            "size": size,
            "type": oneline(btf, found.type),
            "pointers": found.dereferenced,
        }
        if as_json:
            return [row]
        where = f"{at}:{bit}, {found.bits} bits" if found.bits else f"{at}"
        if size is not None and not found.bits:
            where += f", {report.plural(size, 'byte')}"
        head = row["type"].partition(" {")[0]
        print(f"{text}: {head} at byte {where} of {row['in']}")
        return []
    assert failure is not None
    raise failure


def _split(text: str) -> tuple[str, str]:
    """`task_struct.mm->pgd` as the type's name and the path in it."""
    found = _PATH.search(text)
    assert found is not None
    root, path = text[: found.start()], text[found.start() :]
    return root, path.removeprefix(".").removeprefix("->")


def members(btf: Btf, names: Iterable[str], as_json: bool) -> None:
    """The structs that have members of these names."""
    from ebee.btf.lookup import having_member
    from ebee.btf.printer import declare
    from ebee.btf.reader import describe
    from ebee.errors import BtfError

    rows: list[dict[str, Any]] = []
    for name in names:
        before = len(rows)
        for owner, member in having_member(btf, name):
            offset, bits = btf.bitfield(member)
            place = f"{offset // 8}:{offset % 8}" if bits else str(offset // 8)
            declared = " ".join(declare(btf, member.type, member.name).split())
            rows.append({"in": describe(owner), "id": owner.id, "member": member.name,
                         "offset": place, "bits": bits or None, "type": declared})  # fmt: skip
        if len(rows) == before:
            raise BtfError(f"no struct or union of {btf.name} has a member {name!r}")
    if as_json:
        report.print_json(rows)
        return
    cells = [(str(r["id"]), r["in"], r["offset"], r["type"]) for r in rows]
    report.show(
        report.table(", ".join(names), ("id", "in", "at byte", "member"), cells, ["at byte"])
    )


def users(btf: Btf, names: Iterable[str], as_json: bool) -> None:
    """The types that refer to types of these names."""
    from ebee.btf import lookup

    ids: set[int] = set()
    for name in names:
        name = _KEYWORD.sub("", name)
        ids |= {id for _, id in lookup.matching(btf, name)} or {btf.find(name).id}
    found = list(lookup.users(btf, ids))
    if as_json:
        report.print_json([{"id": t.id, "kind": _kind(t), "name": t.name} for t in found])
        return
    rows = [(str(t.id), _kind(t), t.name) for t in found]
    report.show(report.table(f"users of {', '.join(names)}", ("id", "kind", "name"), rows))
