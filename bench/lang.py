"""What the compiler costs and what its code is worth, in one table.

    python -m bench lang                # or only the pairs: python -m bench.pairs

Pairs of equal programs in Python and C, their instructions and how many of them the verifier walks.
Compile times of a hash map's operations by level, from the cache and into memory; start of the
worker; a call through ctypes; and a hash lookup against the same algorithm in C (cc -O2), over the
same map in the same memory: once with the map's layout read from its state, as in a kernel, once
with all of it as constants, as compiled code has it.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench import pairs
from ebee.abi.cpu import Cpu
from ebee.lang import compiler
from ebee.lang.build import build, native
from ebee.lang.compiler import Options, compile_ir
from ebee.lang.known import Known
from ebee.lang.loader import Loaded
from ebee.lang.unit import Spec, compile_native
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Memory
from ebee.maps import hash_ops
from ebee.native import byte_offset, cast
from ebee.native import native as restricted
from ebee.obj.spec import MapSpec
from ebee.types import PtrType, fields, ptr, sizeof, typeof, u8, u64

KEY, VALUE, ENTRIES = 16, 8, 65536
OPERATIONS = ("lookup", "update", "delete")


@restricted
def sweep(cpu: ptr[Cpu], m: ptr[hash_ops.Hash], keys: ptr[u8], n: u64) -> u64:
    """Sum of the values of n keys."""
    total = u64(0)
    for i in range(n):
        value = hash_ops.lookup(cpu, m, byte_offset(keys, u64(i) * m.head.key_size))
        if value:
            total += cast(ptr[u64], value)[0]
    return total


@restricted
def nothing(a: u64) -> u64:
    return a


C_SOURCE = r"""
#include <stdint.h>
#include <string.h>
typedef uint64_t u64; typedef uint32_t u32; typedef uint8_t u8;
struct map { u64 key_size, mask, key_at, value_at, record_size, seed; u32 *buckets; u8 *records; };
#ifdef KEY_SIZE
#define M(field) (field##_)
enum { key_size_ = KEY_SIZE, key_at_ = KEY_AT, value_at_ = VALUE_AT, record_size_ = RECORD_SIZE,
       mask_ = MASK };
#else
#define M(field) (m->field)
#endif
#define LOCKED (1u << 31)
#define END (1u << 30)
#define FACTOR 0x9E3779B97F4A7C15ull
#define FACTOR2 0xD6E8FEB86659FD93ull
static u64 fold(u64 a, u64 b) {
    unsigned __int128 p = (unsigned __int128)a * b;
    return (u64)(p >> 64) ^ (u64)p;
}
static u32 hash(const u8 *key, u32 size, u64 seed) {
    u64 h = seed ^ (size * FACTOR2), word;
    u32 i, rest = size % 8;
    for (i = 0; i < size / 8; i++) { memcpy(&word, key + 8 * i, 8); h = fold(h ^ word, FACTOR); }
    if (rest) { word = 0; memcpy(&word, key + size - rest, rest); h = fold(h ^ word, FACTOR); }
    return (u32)h;
}
static u8 *lookup(const struct map *m, const u8 *key) {
    u32 h = hash(key, M(key_size), m->seed), bucket = h & M(mask);
    for (;;) {
        u32 link = __atomic_load_n(m->buckets + bucket, __ATOMIC_ACQUIRE) & ~LOCKED;
        while (link && link < END) {
            u8 *r = m->records + (u64)link * M(record_size);
            if (((u32 *)r)[1] == h && !memcmp(r + M(key_at), key, M(key_size)))
                return r + M(value_at);
            link = __atomic_load_n((u32 *)r, __ATOMIC_ACQUIRE);
        }
        if (!link || link == (END | bucket)) return 0;
    }
}
u64 sweep(const struct map *m, const u8 *keys, u64 n) {
    u64 total = 0;
    for (u64 i = 0; i < n; i++) {
        u8 *value = lookup(m, keys + i * M(key_size));
        if (value) total += *(u64 *)value;
    }
    return total;
}
"""


class CMap(ctypes.Structure):
    """struct map of the C source."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in ("key_size", "mask", "key_at", "value_at", "record_size", "seed")
    ] + [("buckets", ctypes.c_void_p), ("records", ctypes.c_void_p)]


def best(work: Callable[[], Any], repeat: int) -> float:
    """The least time of several runs, in seconds."""
    times = []
    for _ in range(repeat):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def row(what: str, value: float, unit: str, note: str = "") -> None:
    print(f"{what:<52}{value:>10.2f} {unit:<4}{note}")


def known(m: MachineMap) -> tuple[Known, dict[str, int]]:
    """A map as a constant object, and addresses of its symbols."""
    pointers = {
        name: f"map.{name}"
        for name, field in fields(m.ops.State).items()
        if isinstance(typeof(field.type), PtrType)
    }
    symbols = {"map": m.address} | {s: int(getattr(m.state, n)) for n, s in pointers.items()}
    return Known.read(m.state, "map", pointers), symbols


def compile_times(specs: list[Spec], repeat: int) -> None:
    lowering = best(lambda: compile_native(specs), repeat)
    row("lowering three operations of a hash map", lowering * 1e3, "ms")
    text = compile_native(specs).ir
    compiler.shut_down()
    empty = "define void @f() { ret void }"
    row("worker: start and first compile", best(lambda: compile_ir([empty]), 1) * 1e3, "ms")
    for level in compiler.LEVELS:
        options = Options(level, keep=OPERATIONS)  # type: ignore[arg-type]
        took = best(partial(compile_ir, [text], options), repeat)
        row(f"LLVM, level {level}", took * 1e3, "ms")
    options = Options(keep=OPERATIONS)
    image = build([text], options)
    row("from the cache", best(partial(build, [text], options), repeat) * 1e6, "us")
    symbols = dict.fromkeys(image.imports, 4096)
    row("into memory", best(lambda: Loaded(image, symbols).close(), repeat) * 1e6, "us")


PROGRAM = """
import sys, time
import ebee
begin = time.perf_counter()
ebee.compile(sys.argv[1])
print(time.perf_counter() - begin)
"""


def programs(repeat: int) -> None:
    """The firewall in Python, each time in a new process: the first time, with the start of the
    compiler's process, and from the cache."""
    firewall = Path(__file__).parents[1] / "examples" / "firewall.py"
    times: dict[str, list[float]] = {"first": [], "cached": []}
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as cache:
            for name in times:
                command = [sys.executable, "-c", PROGRAM, str(firewall)]
                made = subprocess.run(
                    command, env=os.environ | {"XDG_CACHE_HOME": cache}, check=True,
                    capture_output=True, text=True,
                )  # fmt: skip
                times[name].append(float(made.stdout))
    row("firewall.py: first compile, with the worker's start", min(times["first"]) * 1e3, "ms")
    row("firewall.py: from the cache, with imports", min(times["cached"]) * 1e3, "ms")


def calls() -> None:
    with native([Spec(nothing, "nothing")]) as code:
        f = code.function("nothing", ctypes.c_uint64, ctypes.c_uint64)
        row("a call through ctypes", best(lambda: [f(1) for _ in range(100)], 50) * 1e7, "ns")


def c_sweep(m: MachineMap, constants: bool, folder: str, cc: str) -> Callable[[int, int], int]:
    """The C version as a function of keys and their number."""
    state = m.state
    names = ("key_at", "value_at", "record_size", "mask")
    flags = [f"-D{n.upper()}={int(getattr(state, n))}" for n in names] + [f"-DKEY_SIZE={KEY}"]
    source, library = Path(folder) / "map.c", Path(folder) / f"map{constants}.so"
    source.write_text(C_SOURCE)
    subprocess.run(
        [cc, "-O2", "-fPIC", "-shared", *(flags if constants else []), source, "-o", library],
        check=True,
    )
    f = ctypes.CDLL(str(library)).sweep
    f.restype, f.argtypes = ctypes.c_uint64, (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64)
    numbers = {n: int(getattr(state, n)) for n in (*names, "seed", "buckets", "records")}
    layout = CMap(key_size=KEY, **numbers)
    return lambda keys, n: f(ctypes.byref(layout), keys, n)


def lookups(memory: Memory, m: MachineMap, k: Known, symbols: dict[str, int]) -> None:
    rng = random.Random(1)
    stored = [rng.randbytes(KEY) for _ in range(ENTRIES // 2)]
    for key in stored:
        m.update(key, rng.randbytes(VALUE))
    cpu = memory.allocate("cpu", sizeof(Cpu))
    cc = shutil.which("gcc") or shutil.which("clang-19") or shutil.which("cc")
    for what, count in (("in cache", 64), ("of 32,768", len(stored))):
        chosen = [rng.choice(stored[:count]) for _ in range(4096)]
        keys = memory.allocate("keys", KEY * len(chosen))
        keys.data[:] = b"".join(chosen)
        with native([Spec(sweep, "sweep", {"m": k})], symbols) as code:
            f = code.function("sweep", ctypes.c_uint64, *[ctypes.c_void_p] * 2, ctypes.c_uint64)
            size = len(chosen)
            runs: dict[str, Callable[[], int]] = {"compiled": partial(f, cpu.base, keys.base, size)}
            with tempfile.TemporaryDirectory() as folder:
                for name, constants in (("C", False), ("C, constants", True)):
                    if cc:
                        runs[name] = partial(c_sweep(m, constants, folder, cc), keys.base, size)
            answers = {name: run() for name, run in runs.items()}
            assert len(set(answers.values())) == 1, answers
            times: dict[str, list[float]] = {name: [] for name in runs}
            for _ in range(60):  # in turn, so that all see the same machine
                for name, run in runs.items():
                    times[name].append(best(run, 3) / len(chosen) * 1e9)
            median = {name: statistics.median(t) for name, t in times.items()}
            for name, value in median.items():
                note = (
                    f" {value / median['compiled']:.2f} of compiled" if name != "compiled" else ""
                )
                row(f"hash lookup, keys {what}: {name}", value, "ns", note)
        memory.free(keys)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--repeat", type=int, default=10)
    repeat = options.parse_args().repeat
    memory = Memory()
    spec = MapSpec("m", "hash", key_size=KEY, value_size=VALUE, max_entries=ENTRIES)
    with MachineMap(memory, spec) as m:
        k, symbols = known(m)
        specs = [Spec(getattr(hash_ops, n), n, {"m": k}) for n in OPERATIONS]
        compile_times(specs, repeat)
        programs(repeat)
        calls()
        lookups(memory, m, k, symbols)
    print()
    pairs.show()


if __name__ == "__main__":
    main()
