"""How `ebee prog show` answers: all programs in a table, one in full."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ebee.cli import report
from ebee.cli.held import SHOWN, owners_text

if TYPE_CHECKING:
    from ebee.linux.owners import Key, Owner
    from ebee.linux.programs import LinuxProgram


def show(words: Sequence[str], with_pins: bool, as_json: bool) -> None:
    """All programs, or the one that `words` name."""
    from ebee.cli import held
    from ebee.cli.link_show import by_program
    from ebee.cli.named import only_program
    from ebee.linux.info import each
    from ebee.linux.programs import LinuxProgram

    found = [only_program(words)] if words else each("prog", LinuxProgram.from_id)
    told = partial(document, links=by_program())
    held.show(found, told, with_pins, as_json, _show_one if words else None, _show_all)


def document(
    program: LinuxProgram, held: Mapping[Key, list[Owner]], pinned: Mapping[Key, list[str]],
    full: bool = False, *, links: Mapping[int, list[dict[str, Any]]],
) -> dict[str, Any]:  # fmt: skip
    """What the kernel and /proc say of a program. Keys are bpftool's where it has them."""
    from ebee.linux.owners import fdinfo

    info = program.info()
    said = fdinfo("self", program.fd.fileno())
    key = ("prog", program.id)
    made: dict[str, Any] = {
        "id": program.id,
        "type": program.type,
        "name": program.name,
        "tag": program.tag,
        "gpl_compatible": bool(info.get("gpl_compatible", 0)),
        "run_time_ns": info.get("run_time_ns", 0),
        "run_cnt": info.get("run_cnt", 0),
        "recursion_misses": info.get("recursion_misses", 0),
        "verified_insns": info.get("verified_insns"),
        "loaded_at": _wall_clock(info.get("load_time", 0)),
        "uid": info.get("created_by_uid", 0),
        "bytes_xlated": info.get("xlated_prog_len", 0),
        "jited": bool(info.get("jited_prog_len", 0)),
        "bytes_jited": info.get("jited_prog_len", 0),
        "bytes_memlock": int(said.get("memlock", 0)),
        "map_ids": program.map_ids(),
        "btf_id": info.get("btf_id", 0) or None,
        "pids": [owner._asdict() for owner in held.get(key, ())],
        "pinned": pinned.get(key, []),
        "links": links.get(program.id, []),
    }
    if full:
        made["functions"] = _functions(program)
        made["maps"] = [_map_name(number) for number in made["map_ids"]]
    return made


def _functions(program: LinuxProgram) -> list[dict[str, Any]]:
    from ebee.linux.proginfo import functions

    return [
        {"name": f.name, "instruction": f.slot, "tag": f.tag, "bytes_jited": len(f.code)}
        for f in functions(program)
    ]


def _map_name(number: int) -> dict[str, Any]:
    from ebee.errors import KernelError
    from ebee.linux.maps import LinuxMap

    try:
        with LinuxMap.from_id(number) as found:
            return {"id": number, "name": found.name, "type": found.type}
    except KernelError:
        return {"id": number, "name": "", "type": "gone"}


def _wall_clock(boot_ns: int) -> int:
    """Seconds since 1970 of a time since boot."""
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return int(time.time() - (now - boot_ns) / 1e9)


def _show_all(found: Sequence[dict[str, Any]]) -> None:
    if not found:
        print("no programs are loaded")
        return
    rows = [
        (str(p["id"]), p["type"], p["name"], age(p["loaded_at"]), p["bytes_xlated"] // 8,
         p["bytes_jited"] or None, p["run_cnt"] or None, _mean(p), len(p["map_ids"]) or None,
         _places(p["links"], SHOWN), owners_text(p["pids"]), ", ".join(p["pinned"]))
        for p in found
    ]  # fmt: skip
    columns = ("id", "type", "name", "age", "instructions", "compiled", "runs", "ns a run", "maps",
               "attached to", "held by", "pinned")  # fmt: skip
    used = [i for i in range(len(columns)) if any(row[i] not in (None, "") for row in rows)]
    report.show(report.table(
        f"{len(found)} programs", [columns[i] for i in used],
        [[row[i] for i in used] for row in rows], ["age"],
    ))  # fmt: skip


def _show_one(p: dict[str, Any]) -> None:
    report.show_fields(f"program {p['id']}: {p['name'] or '(without a name)'}", {
        "type": p["type"],
        "tag": p["tag"],
        "loaded": f"{time.ctime(p['loaded_at'])}, {age(p['loaded_at'])} ago, by uid {p['uid']}",
        "licence": "compatible with GPL" if p["gpl_compatible"] else "not compatible with GPL",
        "instructions": f"{p['bytes_xlated'] // 8:,}"
        + (f", the verifier walked {p['verified_insns']:,}" if p["verified_insns"] else ""),
        "compiled": report.plural(p["bytes_jited"], "byte") if p["jited"] else "no",
        "memory": report.size(p["bytes_memlock"]),
        "runs": f"{p['run_cnt']:,}, {_mean(p)} ns each" if p["run_cnt"] else "",
        "left out": p["recursion_misses"] or "",
        "maps": ", ".join(f"{m['name'] or m['type']} ({m['id']})" for m in p["maps"]),
        "functions": ", ".join(f["name"] for f in p["functions"] if f["name"]),
        "types": f"BTF {p['btf_id']}" if p["btf_id"] else "",
        "attached to": _places(p["links"], len(p["links"])),
        "held by": owners_text(p["pids"], len(p["pids"])),
        "pinned": ", ".join(p["pinned"]),
    })  # fmt: skip


def _places(links: Sequence[dict[str, Any]], limit: int) -> str:
    """Where links have a program run, the first `limit`."""
    text = ", ".join(f"{link['where']} ({link['type']})" for link in links[:limit])
    return text + (f" and {len(links) - limit} more" if len(links) > limit else "")


def _mean(p: dict[str, Any]) -> int | None:
    return round(p["run_time_ns"] / p["run_cnt"]) if p["run_cnt"] else None


def age(since: float) -> str:
    """How long ago, short: "12 s", "3 min", "5 h", "2 d"."""
    seconds = max(int(time.time() - since), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
