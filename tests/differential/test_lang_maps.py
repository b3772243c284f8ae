"""The bodies of map operations: compiled for one map, and compiled for any map of the type, they do
what they do under CPython, down to every byte of the map's memory."""

import inspect
import random

import pytest

from ebee import maps
from ebee.lang.build import c_function, native
from ebee.lang.compiler import Options
from ebee.lang.known import Known
from ebee.lang.source import is_native
from ebee.lang.unit import Spec, compile_native, signature_of
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Memory
from ebee.obj.spec import MapSpec
from ebee.types import PtrType, fields, ptr, typeof, u8

pytestmark = pytest.mark.differential

CASES = [
    ("array", 4, 8, 7), ("array", 4, 13, 5), ("percpu_array", 4, 12, 4), ("hash", 4, 8, 8),
    ("hash", 16, 40, 9), ("hash", 13, 3, 6), ("hash", 1, 1, 4), ("percpu_hash", 7, 5, 6),
    ("lru_hash", 8, 8, 10), ("lru_percpu_hash", 8, 9, 8), ("lpm_trie", 8, 8, 12),
    ("lpm_trie", 20, 5, 9), ("queue", 0, 12, 5), ("stack", 0, 8, 4), ("bloom_filter", 0, 8, 20),
]  # fmt: skip
CPUS = 3
STEPS = 250
KNOWN_ARGUMENTS = {"key", "value", "values", "out", "flags", "of"}


def make(memory, kind, key, value, entries):
    flags = 1 if kind == "lpm_trie" else 0
    spec = MapSpec("m", kind, key_size=key, value_size=value, max_entries=entries, flags=flags)
    return MachineMap(memory, spec, cpus=CPUS, seed=7)


def operations(ops):
    """Operations of a module whose arguments we can make up, by name."""
    found = {}
    for name, f in vars(ops).items():
        if is_native(f) and f.__module__ == ops.__name__ and name != "init":
            names = list(inspect.signature(f).parameters)
            if "m" in names[:2] and set(names) - {"cpu", "m"} <= KNOWN_ARGUMENTS:
                found[name] = f
    return found


class Side:
    """One of two equal maps, and the memory for arguments."""

    def __init__(self, memory, case):
        self.map = make(memory, *case)
        self.room = memory.allocate("arguments", 1024)
        self.pointers = {
            n: ptr(memory, self.room.base + at, u8)
            for n, at in (("key", 0), ("value", 256), ("out", 512))
        }
        self.pointers["values"] = self.pointers["value"]

    def argument(self, name, numbers):
        if name == "m":
            return self.map.state
        if name == "cpu":
            return self.map._cpu
        return self.pointers[name] if name in self.pointers else numbers[name]

    def seen(self, value):
        """A result that both sides can be compared by: for addresses, where in which region."""
        if not isinstance(value, ptr):
            return value
        for i, region in enumerate(self.map._regions):
            if region.base <= int(value) < region.end:
                return i, int(value) - region.base
        return int(value)

    def bytes(self):
        """All memory of the map but the addresses in its state."""
        parts = [bytes(r.data) for r in self.map._regions[1:]]
        for name, field in fields(self.map.ops.State).items():
            if not isinstance(typeof(field.type), PtrType):
                parts.append(repr(getattr(self.map.state, name)).encode())
        return [*parts, bytes(self.room.data)]


def known(m):
    pointers = {
        n: f"m.{n}" for n, f in fields(m.ops.State).items() if isinstance(typeof(f.type), PtrType)
    }
    symbols = {"m": m.address} | {s: int(getattr(m.state, n)) for n, s in pointers.items()}
    return Known.read(m.state, "m", pointers), symbols


@pytest.mark.parametrize("case", CASES, ids=lambda c: "-".join(map(str, c)))
@pytest.mark.parametrize("bound", [True, False], ids=["for one map", "for any map"])
def test_operations_agree(case, bound):
    assert maps.by_name(case[0]).ops
    memory, rng = Memory(), random.Random(str(case))
    reference, other = Side(memory, case), Side(memory, case)
    found = operations(reference.map.ops)
    assert len(found) >= 2
    constant, symbols = known(other.map)
    bind = {"m": constant} if bound else {}
    module = compile_native([Spec(f, name, bind) for name, f in found.items()])
    keys = [rng.randbytes(case[1]) for _ in range(2 * case[3])]
    if case[0].endswith("array"):
        keys = [i.to_bytes(4, "little") for i in range(case[3] + 2)]
    if case[0] == "lpm_trie":
        longest = 8 * (case[1] - 4)
        keys = [
            rng.choice([0, 5, 8, 9, longest]).to_bytes(4, "little") + k[4:5] * (case[1] - 4)
            for k in keys
        ]
    level = "optimised" if bound else "middle"
    with native(module, symbols if bound else {}, Options(level), cached=False) as code:
        compiled = {n: c_function(code, n, module.exports[n]) for n in found}
        for _ in range(STEPS):
            name = rng.choice(list(found))
            f = found[name]
            key, value, cpu = rng.choice(keys), rng.randbytes(200), rng.randrange(CPUS)
            numbers = {"flags": rng.choice([0, 0, 0, 1, 2, 3, 4]), "of": rng.randrange(CPUS + 1)}
            if name == "take":  # whose callers have checked that there is a lock
                numbers["flags"] = 0
            for side in (reference, other):
                side.room.data[: len(key)], side.room.data[256 : 256 + 200] = key, value
                side.map._cpu.id = cpu
            params, result = signature_of(f)
            names = [n for n, _ in params]
            expected = f(*[reference.argument(n, numbers) for n in names])
            free = [n for n in names if not (bound and n == "m")]
            got = compiled[name](*[int(other.argument(n, numbers)) for n in free])
            if isinstance(result, PtrType):
                got = ptr(memory, got or 0, u8)
            assert other.seen(got) == reference.seen(expected), name
            assert other.bytes() == reference.bytes(), name
