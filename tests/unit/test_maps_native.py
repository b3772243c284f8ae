"""Operations compiled for the host do what they do under CPython, byte for byte of memory."""

import random

import pytest

from ebee.errors import KernelError
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Memory
from ebee.obj.spec import MapSpec

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.unit

SHAPES = [
    ("array", 4, 5, 6, 0), ("percpu_array", 4, 5, 6, 0), ("hash", 1, 8, 6, 0),
    ("hash", 13, 7, 6, 0), ("hash", 16, 100, 6, 0), ("percpu_hash", 4, 12, 6, 0),
    ("lru_hash", 4, 8, 6, 0), ("lru_hash", 4, 8, 6, 2), ("lru_percpu_hash", 8, 8, 6, 0),
    ("lpm_trie", 5, 8, 6, 1), ("lpm_trie", 8, 8, 6, 1), ("lpm_trie", 13, 3, 6, 1),
    ("lpm_trie", 20, 8, 6, 1), ("queue", 0, 5, 6, 0), ("stack", 0, 8, 6, 0),
    ("bloom_filter", 0, 9, 6, 0), ("devmap", 4, 8, 6, 0), ("devmap_hash", 4, 4, 6, 0),
    ("cpumap", 4, 4, 6, 0), ("prog_array", 4, 4, 6, 0),
]  # fmt: skip


def outcome(call, *args):
    try:
        return call(*args)
    except KernelError as e:
        return e.errno


def a_key(r: random.Random, kind: str, size: int) -> bytes:
    if kind == "lpm_trie":
        bits = r.choice([0, 3, 8, 9, 8 * size - 33, 8 * size - 32, 8 * size])
        return max(bits, 0).to_bytes(4, "little") + bytes(r.choices([0, 128, 255], k=size - 4))
    return bytes([r.randrange(9)]) + bytes(size - 1) if size else b""


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s[0]}-{s[1]}-{s[2]}-{s[4]}")
def test_compiled_operations_leave_the_same_memory(shape):
    kind, key, value, entries, flags = shape
    spec = MapSpec("m", kind, key, value, entries, flags)
    plain, compiled = (MachineMap(Memory(), spec, cpus=2, seed=5) for _ in range(2))
    compiled.compile()
    r = random.Random(f"{shape}")
    for _ in range(100):
        k = a_key(r, kind, key)
        v = bytes([r.randrange(1, 9)]) + bytes(plain.value_bytes - 1)
        name = r.choice(["update"] * 4 + ["lookup", "delete", "next_key", "lookup_and_delete"])
        args = (k, v, r.choice([0, 0, 0, 1, 2, 3, 8])) if name == "update" else (k,)
        results = [outcome(getattr(m, name), *args) for m in (plain, compiled)]
        assert results[0] == results[1], (name, args)
    assert outcome(lambda: plain.lookup_batch()) == outcome(lambda: compiled.lookup_batch())
    for a, b in zip(plain._regions, compiled._regions, strict=True):
        if "state" not in a.name and "buffers" not in a.name:  # they hold addresses
            assert bytes(a.data) == bytes(b.data), a.name
