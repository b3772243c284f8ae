"""What BPF mode adds to the language, each rule on the machine and in the kernel."""

import os
import random
from pathlib import Path

import pytest

from ebee import linux, native
from ebee.cli.events import EventReader
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

HEAD = """\
from ebee import *

@struct
class Key:
    a: u32
    b: u16

@struct
class Value:
    count: u64
    last: be32
    text: array[char, 8]

@struct
class Record:
    number: u32
    kind: XDP

table = Hash[Key, Value](max_entries=3)
numbers = Hash[u32, u64](max_entries=8)
out = Array[u64](max_entries=16)
events = RingBuf[Record](size=4096)

@func
def put(index: u32, value: u64) -> None:
    place = out.lookup(index)
    if place is not None:
        place[0] = value

"""
FRAME = bytes(range(64))


@pytest.fixture(params=["machine", "kernel"])
def run(request):
    """Run the body of an XDP program once: its result, and the loaded object."""
    if request.param == "kernel" and os.geteuid():
        pytest.skip("needs root")
    opened = []

    def once(text, frame=FRAME, **variables):
        body = "".join(f"    {line}\n" for line in text.strip("\n").splitlines())
        return program(f"@xdp\ndef prog(ctx: XdpContext) -> u32:\n{body}", frame, **variables)

    def program(text, frame=FRAME, **variables):
        spec = build.compile(define(HEAD + text)["prog"])
        for name, value in variables.items():
            spec.variables[name] = value
        if request.param == "kernel":
            loaded = linux.load(spec)
            opened.append(loaded)
        else:
            opened.append(machine := Machine())
            loaded = machine.load(spec)
        return loaded.programs["prog"].test_run(frame).retval, loaded

    once.program = program
    yield once
    for thing in opened:
        thing.close()


def outputs(loaded, count=8):
    return [loaded.maps["out"][i] for i in range(count)]


def test_elements_of_maps(run):
    result, loaded = run("""
key = Key(a=1, b=2)
put(0, table.lookup(key) is None)
table[key] = Value(count=5, last=0x01020304)
value = table[key]
if value is not None:
    value.count += 2
    put(1, value.count)
    put(2, value.last)
put(3, u64(table.update(key, Value(), 1)))
put(4, u64(table.delete(Key(a=9))))
table[Key(a=7)] = Value()
del table[Key(a=7)]
numbers[3] = 300
put(5, numbers.get(3, 1) + numbers.get(4, 1))
return 2
""")
    minus = (1 << 64) - 1
    assert result == 2
    assert outputs(loaded) == [1, 7, 0x01020304, minus - 16, minus - 1, 301, 0, 0]
    (found,) = loaded.maps["table"].items()
    assert found[0] == {"a": 1, "b": 2}
    assert bytes(loaded.maps["table"].raw.lookup(bytes([1, 0, 0, 0, 2, 0, 0, 0])))[8:12] == bytes(
        [1, 2, 3, 4]
    )


@pytest.mark.parametrize(
    ("null", "said"),
    [
        ("if p is None:\n    return 9", 4), ("if not p:\n    return 9", 4),
        ("if p == None:\n    return 9", 4),
    ],
)  # fmt: skip
def test_tests_for_none(run, null, said):
    assert run(f"numbers[1] = 4\np = numbers.lookup(1)\n{null}\nreturn u32(p[0])")[0] == said
    assert run(f"p = numbers.lookup(1)\n{null}\nreturn u32(p[0])")[0] == 9


def test_tests_for_none_inside_conditions(run):
    text = """
numbers[1] = 4
p = numbers.lookup(1)
q = numbers.lookup(2)
total = u32(0)
if p is not None and p[0] == 4:
    total += 1
if q is None or q[0] == 0:
    total += 2
if (r := numbers.lookup(1)) is not None:
    total += u32(r[0])
total += u32(8) if q is None else u32(q[0])
return total
"""
    assert run(text)[0] == 15


def test_records_are_sent_or_discarded_on_every_path(run):
    _, loaded = run.program("""
@func
def early(n: u32) -> None:
    with events.reserve() as e:
        if e is None:
            return
        e.number = n
        e.kind = XDP.DROP
        if n == 1:
            return
        if n == 2:
            events.discard(e)
            return
        if n == 3:
            events.discard(e)
        else:
            e.number = n * 10

@xdp
def prog(ctx: XdpContext) -> u32:
    for i in range(6):
        early(u32(i))
    for i in range(6):
        with events.reserve() as e:
            if e is None:
                break
            e.number = 100 + i
            e.kind = XDP.PASS
            if i == 1:
                continue
            if i == 3:
                break
    events.output(Record(number=7, kind=XDP.TX))
    return 2
""")
    events, count = EventReader(loaded, "events").read()
    found = [(e["number"], e["kind"].name) for e in events]
    early = [(n, "DROP") for n in (0, 1, 40, 50)]
    assert found == [*early, *((n, "PASS") for n in (100, 101, 102, 103)), (7, "TX")]
    assert count == len(found)


def test_variables_of_the_module(run):
    text = """
limit: Const[u32] = 5
name: Const[Value] = Value(count=6)
seen: Global[u64] = 3
last: Global[Key] = 0

@xdp
def prog(ctx: XdpContext) -> u32:
    global seen
    seen += limit
    atomic_add(seen, 1)
    last.a = u32(seen)
    return limit + u32(name.count)
"""
    result, loaded = run.program(text)
    assert (result, loaded.variables["seen"].value) == (11, 9)
    assert loaded.variables["last"].value["a"] == 9
    result, loaded = run.program(text, limit=50)
    assert (result, loaded.variables["seen"].value) == (56, 54)


def test_subprograms(run):
    text = """
@func(inline=False)
def sum_of(key: Key, more: u32, sign: i8) -> i64:
    total = i64(key.a) + key.b
    for i in range(min(more, u32(10))):
        total += i
    return total * sign

@func(inline=False)
def find(n: u32) -> ptr[u64] | None:
    return numbers.lookup(n) if n else None

@xdp
def prog(ctx: XdpContext) -> u32:
    numbers[3] = 5
    put(0, u64(sum_of(Key(a=1, b=2), ctx.rx_queue_index + 4, i8(-1))))
    p = find(3)
    put(1, 0 if p is None else p[0])
    put(2, find(0) is None)
    return 1
"""
    _, loaded = run.program(text)
    assert outputs(loaded)[:3] == [(1 << 64) - 9, 5, 1]


def test_packets_never_end_too_early(run):
    text = """
packet = ctx.packet()
total = packet.remaining()
n = u32(0)
for _ in range(100):
    if not packet.skip(3):
        break
    n += 1
eth = packet.parse(Ethernet)
return n * 1000 + total * 1 + (500 if eth is None else 0)
"""
    for size in (14, 15, 16, 17, 60, 200):
        rest = size % 3 if size <= 300 else size - 300
        assert run(text, bytes(size))[0] == size // 3 * 1000 + size + (500 if rest < 14 else 0)


def test_packets_can_be_changed(run):
    result, loaded = run("""
eth = ctx.packet().parse(Ethernet)
if eth is None:
    return 0
eth.type = 0x86dd
eth.destination[0] = eth.source[5]
for i in range(6):
    eth.source[i] = 7
return eth.type
""")
    assert result == 0x86DD
    data = loaded.programs["prog"].test_run(FRAME).data
    assert data[:14] == bytes([11, 1, 2, 3, 4, 5, *[7] * 6, 0x86, 0xDD])


def test_helpers_by_their_declarations(run):
    result, loaded = run("""
put(0, bpf.ktime_get_ns() > 0)
put(1, u64(bpf.csum_diff(None, 0, Key(a=1, b=2), 8, 0)))
value = Value()
put(2, u64(bpf.xdp_load_bytes(ctx, 2, value.text, 8)))
put(3, value.text[0])
put(4, bpf.get_smp_processor_id() < 4096)
put(5, bpf.map_lookup_elem(numbers, u32(77)) is None)
put(6, u64(bpf.map_update_elem(numbers, u32(77), u64(1), 2)))
return u32(bpf.xdp_adjust_head(ctx, 4))
""")
    assert result == 0
    csum = {"machine": 3, "kernel": 3}
    assert outputs(loaded)[:7] == [1, *{*csum.values()}, 0, 2, 1, 1, (1 << 64) - 2]


def test_print(run):
    run("n = ctx.rx_queue_index\nprint(f'hex {n:x} {n} {-i32(n)} 100%')\nprint('plain')\nreturn 1")
    run("""
a = u64(1)
print(f"{a} {a} {a} {a} {a:x}")
return 1
""")


@pytest.mark.parametrize("names", ["limit, note", "*"])
def test_maps_and_variables_of_other_modules(names, tmp_path, monkeypatch):
    lib = tmp_path / "shared_maps_of_test.py"
    lib.write_text(
        "from ebee import *\nseen = Array[u64](max_entries=1)\nlimit: Const[u32] = 6\n"
        "total: Global[u64] = 0\n@func\ndef note(n: u64) -> None:\n    p = seen.lookup(0)\n"
        "    if p is not None:\n"
        "        p[0] += n + limit\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    main = Path(tmp_path / "main.py")
    main.write_text(
        "from ebee import *\nimport shared_maps_of_test as lib\n"
        f"from shared_maps_of_test import {names}\n"
        "@xdp\ndef prog(ctx: XdpContext) -> u32:\n    note(u64(1))\n"
        "    lib.total += 4\n    atomic_add(lib.total, 1)\n    p = lib.seen.lookup(0)\n"
        "    return 0 if p is None else u32(p[0]) + limit + lib.limit\n"
    )
    spec = build.compile(main)
    spec.variables["limit"] = 10
    with Machine() as machine:
        loaded = machine.load(spec)
        assert loaded.programs["prog"].test_run(FRAME).retval == 31
        assert loaded.variables["total"].value == 5


def test_a_file_that_changes_is_read_again(tmp_path):
    file = tmp_path / "prog.py"
    for verdict in ("PASS", "DROP", "PASS"):  # within a second, and of the same size
        file.write_text(
            "from ebee import *\n@xdp\ndef prog(ctx: XdpContext) -> XDP:\n"
            f"    return XDP.{verdict}\n"
        )
        with Machine() as machine:
            loaded = machine.load(build.compile(file))
            assert loaded.programs["prog"].test_run(FRAME).retval == {"PASS": 2, "DROP": 1}[verdict]


INTRINSICS = """
from ebee.native import mulhi, clz64, ctz64, rotl32, rotl64, memeq, bswap32, memset

@struct
class Big:
    bytes: array[u8, 200]
@struct
class Odd:
    a: u8
    b: array[u8, 300]

bigs = Array[Big](max_entries=2)
odds = Array[Odd](max_entries=2)
given = Array[u64](max_entries=2)

@func(inline=False)
def table(n: u32) -> u32:
    match n:
        case 0: return 100
        case 1: return 7
        case 2: return 99
        case 3: return 1234
        case 4: return 5
        case 5: return 77
        case 6: return 8
        case 7: return 3
        case 8: return 321
        case _: return 1

@xdp
def prog(ctx: XdpContext) -> u32:
    p = given.lookup(0)
    q = given.lookup(1)
    if p is None or q is None:
        return 0
    x = p[0]
    y = q[0]
    put(0, mulhi(x, y))
    put(1, u64(clz64(x)))
    put(2, u64(ctz64(y)))
    put(3, u64(rotl32(u32(x), 5)))
    put(4, rotl64(x, u32(y) & 63))
    put(5, u64(bswap32(u32(x))))
    put(6, u64(table(u32(x) & 15)))
    a = bigs.lookup(0)
    b = bigs.lookup(1)
    if a is not None and b is not None:
        b.bytes[3] = 9
        a.bytes = b.bytes
        put(7, memeq(a.bytes.ptr, b.bytes.ptr, 100))
        a.bytes[99] = 1
        put(8, memeq(a.bytes.ptr, b.bytes.ptr, 100))
        put(9, u64(a.bytes[3]))
    c = odds.lookup(0)
    d = odds.lookup(1)
    if c is not None and d is not None:
        d.b[299] = 7
        c.b = d.b
        put(10, u64(c.b[299]))
        put(11, u64(c.b[u32(x) % 300]))
        memset(c.b.ptr, u8(5), 300)
        put(12, u64(c.b[298]))
    total = u64(0)
    for i in range(u32(x) & 63):
        total += u64(i) * u64(i)
    put(13, total)
    s = u64(0)
    for i in range(200):
        s += u64(i)
    put(14, s)
    return 1
"""
CASES = (100, 7, 99, 1234, 5, 77, 8, 3, 321)


def test_bits_copies_comparisons_and_tables(run):
    """What LLVM would make library calls, 128-bit products or jump tables of."""
    rng = random.Random(3)
    _, loaded = run.program(INTRINSICS)
    for _ in range(12):
        x, y = rng.choice((rng.getrandbits(64), rng.getrandbits(9), 0)), rng.getrandbits(64)
        loaded.maps["given"][0], loaded.maps["given"][1] = x, y
        assert loaded.programs["prog"].test_run(FRAME).retval == 1
        bits = [native.mulhi(x, y), native.clz64(x), native.ctz64(y), native.rotl32(x, 5)]
        bits += [native.rotl64(x, y & 63), native.bswap32(x)]
        table = CASES[x & 15] if x & 15 < len(CASES) else 1
        squares = sum(i * i for i in range(x & 63))
        found = outputs(loaded, 15)
        assert found[:11] == [*map(int, bits), table, 1, 0, 9, 7]
        assert found[12:] == [5, squares, sum(range(200))]
