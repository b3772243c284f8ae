"""Damaged BTF raises BtfError or is read: nothing else, and in bounded time and memory.

1,500 inputs of a fixed seed; `scripts/fuzz.py btf` (`make fuzz`) tries 100,000 or more.
"""

import contextlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ebee.btf import (
    SIGNED,
    Array,
    Btf,
    BtfBuilder,
    Composite,
    Const,
    Datasec,
    DeclTag,
    Enum,
    Enum64,
    Enumerator,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Member,
    Param,
    Ptr,
    Restrict,
    SecVar,
    Struct,
    Typedef,
    TypeTag,
    Union,
    Var,
    Volatile,
)
from ebee.btf.codec import Codec
from ebee.btf.core import Relocator
from ebee.btf.dedup import dedup
from ebee.btf.diff import diff
from ebee.btf.dump import as_text
from ebee.btf.ext import BtfExt, CoreKind, CoreRelo, FuncInfo, LineInfo
from ebee.btf.lookup import place, users
from ebee.btf.minimal import minimal
from ebee.btf.printer import c, definition
from ebee.btf.validate import validate
from ebee.btf.view import view
from ebee.errors import BtfError

pytestmark = pytest.mark.unit

COUNT = 1500
LIMIT = 5.0
"""Seconds that one damaged input may take at most (usually it is a millisecond)."""

MEMORY = 300 << 20
"""How much memory the process may take beyond what it has."""


TYPES = (
    Int("int", 4, SIGNED),  # 1
    Int("char", 1, SIGNED),
    Int("u64", 8),
    Ptr(11),
    Array(2, 1, 16),
    Struct("inner", 12, (Member("a", 1, 0, 5), Member("b", 1, 5, 27), Member("e", 8, 32))),
    Union("", 16, (Member("text", 5, 0), Member("", 6, 0))),
    Enum("e", 8, True, (Enumerator("A", -1), Enumerator("B", 2**31 - 1))),
    Enum64("g", 8, False, (Enumerator("D", 2**64 - 1), Enumerator("E", 1))),
    Float("double", 8),
    Struct("outer", 72, (Member("next", 4, 0), Member("", 7, 64), Member("list", 12, 192))),  # 11
    Array(6, 1, 4),
    Fwd("later"),
    Typedef("t", 11),
    Volatile(14),
    Const(15),
    Restrict(4),
    FuncProto(1, (Param("a", 17), Param("", 0))),
    Func("f", 18),
    Var("v", 16),
    Datasec(".data", 72, (SecVar(20, 0, 72),)),
    DeclTag("tag", 11, 1),
    TypeTag("user", 9),
)
EXT = BtfExt(
    {"xdp": [FuncInfo(0, 19), FuncInfo(80, 19)], ".text": [FuncInfo(0, 19)]},
    {"xdp": [LineInfo(0, "a.c", "int x;", 7, 3), LineInfo(8, "a.c", "return x;", 8, 1)]},
    {"xdp": [CoreRelo(8, 11, "0:1:2", CoreKind.FIELD_EXISTS)]},
)


def seeds() -> list[tuple[bytes, bytes]]:
    """(BTF, BTF.ext) to damage, in both byte orders."""
    made = []
    for byteorder in ("little", "big"):
        builder = BtfBuilder(byteorder=byteorder)
        for found in TYPES:
            builder.add(found)
        ext = EXT.bytes(builder.string, byteorder)
        made.append((builder.bytes(), ext))
    return made


def original() -> Btf:
    """The types undamaged, for what is compared with them."""
    builder = BtfBuilder()
    for found in TYPES:
        builder.add(found)
    return builder.build()


ORIGINAL = original()


def mutated(data: bytes, rng: random.Random) -> bytes:
    """`data` with a few bits, bytes or words changed, moved, or cut."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(out)) if out else 0
        match rng.randrange(7):
            case 0 if out:
                out[at] ^= 1 << rng.randrange(8)
            case 1 if out:
                out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            case 2:
                word = at & ~3
                value = rng.choice((0, 1, 3, 0x7FFFFFFF, 0xFFFFFFFF, rng.randrange(40)))
                out[word : word + 4] = value.to_bytes(4, "little")
            case 3:
                del out[at:]
            case 4:
                del out[at & ~3 : (at & ~3) + 4 * rng.randrange(1, 5)]
            case 5:
                other = rng.randrange(len(out) + 1) & ~3
                out[at & ~3 : at & ~3] = out[other : other + 4 * rng.randrange(1, 5)]
            case 6 if len(out) > 28:
                # A type's info word: another kind, or another number of entries.
                word = 24 + rng.randrange((len(out) - 24) // 4) * 4
                out[word + 3 : word + 4] = bytes([rng.randrange(32)])
    return bytes(out)


def use(data: bytes, ext: bytes) -> int:
    """Do with a blob all that can be done; returns how many types it had."""
    btf = Btf.parse(data)
    with contextlib.suppress(BtfError):
        validate(btf)
    for id in range(len(btf)):
        for action in (
            btf.type,
            btf.resolve,
            btf.sizeof,
            btf.alignof,
            lambda id: use_type(btf, id),
        ):
            with contextlib.suppress(BtfError):
                action(id)
    with contextlib.suppress(BtfError):
        c(btf)
    with contextlib.suppress(BtfError):
        BtfBuilder.edit(btf).build()
    with contextlib.suppress(BtfError):
        dedup(btf)
    with contextlib.suppress(BtfError):
        list(diff(btf, ORIGINAL))
    with contextlib.suppress(BtfError):
        list(users(btf, {1}))
    with contextlib.suppress(BtfError):
        parsed = BtfExt.parse(ext, btf)
        relocate(btf, [relo for relos in parsed.relos.values() for relo in relos])
    return len(btf)


def relocate(btf: Btf, relos: list[CoreRelo]) -> None:
    """Look relocations up in both directions, and keep what they need."""
    relos += [CoreRelo(0, id, "0:0:0", CoreKind(id % 13)) for id in range(1, min(len(btf), 27))]
    for local, target in ((btf, ORIGINAL), (ORIGINAL, btf)):
        relocator, found = Relocator(local, target), []
        for relo in relos:
            with contextlib.suppress(BtfError):
                str(relocator.resolve(relo).why)
                found.append(relo)
        with contextlib.suppress(BtfError):
            minimal(target, [(local, found)])


def use_type(btf: Btf, id: int) -> None:
    with contextlib.suppress(BtfError):
        as_text(btf.type(id))
    for path in ("a.b", "next->next", "list[3].e", "text[2]"):
        with contextlib.suppress(BtfError):
            place(btf, id, path)
    for write in (definition, view):
        with contextlib.suppress(BtfError):
            write(btf, id)
    BtfBuilder().copy(btf, id)
    found = btf.type(id)
    if btf.sizeof(id) <= 4096 or isinstance(found, (Composite, Datasec)):
        codec = Codec(btf, id)
        codec.describe()
        if codec.size <= 4096:
            value = codec.decode(bytes(range(256)) * (codec.size // 256) + bytes(codec.size % 256))
            repr(value)
            codec.encode(value)


SEEDS = seeds()


def attempt(seed: str, number: int) -> tuple[int, float]:
    """Try a mutation: types read, seconds taken."""
    rng = random.Random(f"{seed}/{number}")
    data, ext = rng.choice(SEEDS)
    what = rng.randrange(4)
    data, ext = (mutated(data, rng), ext) if what else (data, mutated(ext, rng))
    started = time.process_time()
    read = 0
    with contextlib.suppress(BtfError):
        read = use(data, ext)
    return read, time.process_time() - started


@contextlib.contextmanager
def bounded_memory(extra: int) -> Iterator[None]:
    """MemoryError for what takes more than `extra` bytes (on Linux)."""
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + extra, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_mutated_btf_raises_nothing_but_btf_errors():
    with bounded_memory(MEMORY):
        results = [attempt("everyday", number) for number in range(COUNT)]
    slowest = max(seconds for _, seconds in results)
    assert slowest < LIMIT
    # The mutations must not all end at the door.
    assert sum(read > 0 for read, _ in results) > COUNT / 4
