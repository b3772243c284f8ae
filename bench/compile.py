"""What compiling costs: by tier, with the cache, and against lowering alone."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from typing import Any

from ebee.lang import compiler
from ebee.machine.jit.engine import compile_code, ir_of
from ebee.machine.machine import Machine

from .build import Builder
from .measure import best
from .report import Report

SMALL = ("parse5", "switch", "xxh64", "maplook")
TIERS = ("quick", "optimised", "most")


def run(report: Report, builder: Builder, quick: bool) -> None:
    """Milliseconds for some programs, smallest first, and the firewall."""
    rounds = 3 if quick else 7
    specs = {name: builder.small(name) for name in SMALL} | {
        "firewall": builder.example("firewall")
    }
    with tempfile.TemporaryDirectory(prefix="ebee-bench-") as cache:
        before = os.environ.get("XDG_CACHE_HOME")
        os.environ["XDG_CACHE_HOME"] = cache
        try:
            rows = [_program(name, spec, rounds) for name, spec in specs.items()]
        finally:
            if before is None:
                del os.environ["XDG_CACHE_HOME"]
            else:
                os.environ["XDG_CACHE_HOME"] = before
    compiler.shut_down()
    start = best(lambda: compiler.compile_ir(["define void @f() { ret void }"]), 1) * 1e3
    report.numbers["compile"] = {row["program"]: row for row in rows} | {"worker": start}
    columns = list(rows[0])
    report.table(
        "Compiling, in milliseconds",
        columns,
        [[row[c] for c in columns] for row in rows],
        f"lowering: bytecode to IR, a part of each. Starting LLVM's process, once: {start:.0f} ms.",
    )


def _program(name: str, spec: Any, rounds: int) -> dict[str, Any]:
    with Machine(clock=0, seed=0) as machine:
        loaded = machine.load(spec)
        code = next(iter(loaded.programs.values())).code
        maps = loaded.raw_maps
        row: dict[str, Any] = {"program": name, "instructions": len(code.insns)}
        table = machine.program_table(False).base
        row["lowering"] = best(partial(ir_of, code, maps, table), rounds) * 1e3
        make = partial(compile_code, machine, code, maps)
        for tier in TIERS:
            row[tier] = best(partial(make, tier, cached=False), rounds) * 1e3
        row["checked"] = best(partial(make, checked=True, cached=False), rounds) * 1e3
        make()
        row["from the cache"] = best(make, rounds) * 1e3
        return row
