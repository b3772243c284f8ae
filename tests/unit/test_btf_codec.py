"""Values go to bytes and back; what does not fit is refused, naming the member."""

import pickle
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebee.btf import (
    BOOL,
    SIGNED,
    Array,
    Btf,
    BtfBuilder,
    Datasec,
    Enum,
    Enum64,
    Enumerator,
    Float,
    Int,
    Member,
    Ptr,
    SecVar,
    Struct,
    Typedef,
    Union,
    Var,
)
from ebee.btf.codec import Codec, EnumValue, Record
from ebee.errors import BtfError

pytestmark = pytest.mark.unit


class World:
    """Types for the tests, by name."""

    def __init__(self, byteorder: str = "little"):
        b = self.b = BtfBuilder(byteorder=byteorder)
        self.u8, self.u16, self.u32, self.u64 = (
            b.add(Int(f"u{size * 8}", size)) for size in (1, 2, 4, 8)
        )
        self.i8, self.i32, self.i64 = (
            b.add(Int(f"i{size * 8}", size, SIGNED)) for size in (1, 4, 8)
        )
        self.u128, self.i128 = b.add(Int("u128", 16)), b.add(Int("i128", 16, SIGNED))
        self.char, self.bool = b.add(Int("char", 1, SIGNED)), b.add(Int("_Bool", 1, BOOL))
        self.double, self.quad = b.add(Float("double", 8)), b.add(Float("long double", 16))
        self.pointer = b.add(Ptr(0))
        self.act = b.add(
            Enum(
                "act", 4, True, (Enumerator("NO", -1), Enumerator("YES", 0), Enumerator("SAME", 0))
            )
        )
        self.big = b.add(Enum64("big", 8, False, (Enumerator("TOP", 2**64 - 1),)))

    def array(self, element: int, count: int) -> int:
        return self.b.add(Array(element, self.u32, count))

    def struct(self, name: str, size: int, *members: tuple) -> int:
        return self.b.add(Struct(name, size, tuple(Member(*member) for member in members)))

    def union(self, name: str, size: int, *members: tuple) -> int:
        return self.b.add(Union(name, size, tuple(Member(*member) for member in members)))

    def codec(self, id: int) -> Codec:
        return Codec(self.b.build(), id)


@pytest.fixture
def w() -> World:
    return World()


@pytest.mark.parametrize("byteorder", ["little", "big"])
@pytest.mark.parametrize(
    ("name", "value", "packed"),
    [
        ("u8", 200, b"\xc8"),
        ("u32", 0x01020304, b"\x04\x03\x02\x01"),
        ("i8", -2, b"\xfe"),
        ("i64", -2, b"\xfe" + b"\xff" * 7),
        ("u128", 2**128 - 2, b"\xfe" + b"\xff" * 15),
        ("i128", -2, b"\xfe" + b"\xff" * 15),
        ("bool", True, b"\x01"),
        ("double", 1.5, struct.pack("<d", 1.5)),
        ("pointer", 0xFFFF888000000000, b"\0\0\0\0\x80\x88\xff\xff"),
        ("act", -1, b"\xff\xff\xff\xff"),
        ("big", 2**64 - 1, b"\xff" * 8),
    ],
)
def test_numbers(byteorder, name, value, packed):
    w = World(byteorder)
    codec = w.codec(getattr(w, name))
    packed = packed if byteorder == "little" else packed[::-1]
    assert codec.encode(value) == packed
    assert codec.decode(packed) == value
    assert codec.decode_from(b"??" + packed + b"??", 2) == value
    assert codec.decode_all(packed * 3) == [value] * 3
    assert codec.size == len(packed)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("u8", 256, "256 is out of range 0..255 for u8"),
        ("i32", 2**31, "is out of range -2147483648..2147483647 for i32"),
        ("u32", "5", "'5' is no integer for u32"),
        ("u32", 5.0, "5.0 is no integer for u32"),
        ("u32", None, "None is no integer for u32"),
        ("u128", -1, "does not fit in 16 bytes"),
        ("bool", 2, "is neither True nor False"),
        ("double", "x", "is no number that fits"),
        ("act", "NOO", "'NOO' is no name; did you mean NO[?] for enum act"),
        ("act", 2**40, "is out of range"),
        ("quad", b"x", "is not the bytes for long double"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(w, name, value, why):
    with pytest.raises(BtfError, match=why):
        w.codec(getattr(w, name)).encode(value)


def test_enum_values_know_their_names(w):
    codec = w.codec(w.act)
    value = codec.decode(b"\xff\xff\xff\xff")
    assert (value, value.name, str(value), repr(value)) == (-1, "NO", "NO", "<NO: -1>")
    assert f"{value:>4}" == "  NO"
    assert f"{value:x}" == "-1"
    assert codec.decode(bytes(4)).name == "YES"
    unknown = codec.decode(b"\x07\0\0\0")
    assert (unknown, unknown.name, str(unknown)) == (7, "", "7")
    assert codec.encode("SAME") == codec.encode(value.__class__(0)) == bytes(4)
    assert pickle.loads(pickle.dumps(value)) == value


def test_text(w):
    codec = w.codec(w.array(w.char, 4))
    assert codec.encode("ab") == b"ab\0\0"
    assert codec.encode("abcd") == b"abcd"
    assert codec.encode(b"a\xff") == b"a\xff\0\0"
    assert codec.decode(b"ab\0x") == "ab"
    assert codec.decode(b"abcd") == "abcd"
    assert codec.decode("é\0".encode() + b"\xff") == "é"
    assert codec.decode(b"\xff\xfe\0\0") == b"\xff\xfe\0\0"
    for bad, why in (("abcde", "too long"), ("a\0b", "has a NUL inside"), (5, "neither str nor")):
        with pytest.raises(BtfError, match=why):
            codec.encode(bad)


def test_arrays(w):
    codec = w.codec(w.array(w.array(w.u16, 2), 2))
    assert codec.decode(bytes(range(8))) == [[0x100, 0x302], [0x504, 0x706]]
    assert codec.encode([[1], [2, 3]]) == struct.pack("<4H", 1, 0, 2, 3)
    with pytest.raises(BtfError, match=r"member \[1\]\[0\]: 65536 is out of range"):
        codec.encode([[1], [65536]])
    with pytest.raises(BtfError, match="has 3 elements, more than 2,"):
        codec.encode([[], [], []])
    mac = w.codec(w.array(w.u8, 6))
    assert mac.encode(b"\x02abcde") == b"\x02abcde"
    assert mac.decode(b"\x02abcde") == list(b"\x02abcde")
    with pytest.raises(BtfError, match="is no sequence"):
        mac.encode("abcdef")


@pytest.fixture
def event(w) -> Codec:
    address = w.union("", 16, ("v4", w.u32, 0), ("v6", w.array(w.u8, 16), 0))
    nested = w.struct("place", 8, ("x", w.i32, 0), ("y", w.i32, 32))
    return w.codec(
        w.struct(
            "event",
            72,
            ("time", w.u64, 0),
            ("comm", w.array(w.char, 16), 64),
            ("", address, 192),
            ("act", w.act, 320),
            ("urgent", w.bool, 352, 1),
            ("level", w.u8, 353, 3),
            ("delta", w.i8, 356, 4),
            ("place", nested, 384),
            ("places", w.array(nested, 2), 448),
        )
    )


def test_records_are_read_by_attribute_key_position_and_iteration(event):
    data = event.encode({"time": 7, "comm": "sh", "v4": 0x01020304, "act": "NO", "delta": -3})
    record = event.decode(data)
    assert isinstance(record, Record)
    assert (record.time, record["comm"], record[3], record.v6[:4]) == (
        *(7, "sh", [4, 3, 2, 1] + [0] * 12, [4, 3, 2, 1]),
    )
    assert record.act.name == "NO"
    assert (record.urgent, record.level, record.delta) == (False, 0, -3)
    assert record.keys()[:4] == ("time", "comm", "v4", "v6")
    time, comm, *_ = record
    assert (time, comm) == (7, "sh")
    assert dict(record)["place"] == {"x": 0, "y": 0}
    assert record.places == [(0, 0), (0, 0)]
    for same in (dict(record), tuple(record), list(record), event.decode(data)):
        assert record == same
        assert (record != same) is False
    assert record != event.decode(bytes(72))
    assert len(record) == len(tuple(record)) == 10
    assert repr(record).startswith("event(time=7, comm='sh', v4=16909060, v6=[4, 3, 2, 1, 0,")
    with pytest.raises(KeyError, match="event has no member 'pid'"):
        record["pid"]
    with pytest.raises(AttributeError):
        record.pid  # noqa: B018
    with pytest.raises(AttributeError):
        record.time = 5


def test_what_a_record_came_from_it_goes_back_to(event):
    data = bytes(range(48)) + bytes(24)
    record = event.decode(data[:12] + b"\0" * 12 + data[24:44] + b"\x9b\0\0\0" + data[:24])
    for form in (record, dict(record), tuple(record), list(record), record._asdict()):
        assert event.decode(event.encode(form)) == record


def test_replace_makes_another(event):
    record = event.decode(bytes(72))
    other = record._replace(level=5, place={"y": -1}, v4=9)
    assert (other.level, other.urgent, other.delta, other.v4, other.place) == (
        5,
        False,
        0,
        9,
        (0, -1),
    )
    assert record.level == 0


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"tme": 1}, "struct event has no member 'tme'; did you mean time"),
        ({"level": 8}, r"member level: 8 is out of range 0\.\.7 of 3 bits for u8"),
        ({"delta": -9}, r"member delta: -9 is out of range -8\.\.7 of 4 bits"),
        ({"urgent": 2}, "member urgent: 2 is neither True nor False"),
        ({"place": {"x": 2**31}}, "member place.x: 2147483648 is out of range"),
        ({"places": [{}, {"z": 1}]}, r"member places\[1\]: struct place has no member 'z'"),
        ({"v4": 1, "v6": [2]}, "member v6 shares its place with another and differs"),
        ((1,) * 11, "has more than the 10 members"),
        (b"x", "is not the 72 bytes for struct event"),
        (5, "5 is neither record, dict, tuple nor bytes for struct event"),
        ({"comm": "x" * 17}, "member comm: 'xxxxxxxxxxxxxxxxx' takes 17 bytes, which is too long"),
    ],
)
def test_records_that_do_not_fit_are_refused(event, value, why):
    with pytest.raises(BtfError, match=why):
        event.encode(value)


def test_the_length_must_be_right(event):
    for size in (0, 71, 73):
        with pytest.raises(BtfError, match=f"{size} bytes given for struct event .*takes 72"):
            event.decode(bytes(size))
    with pytest.raises(BtfError, match="71 bytes given"):
        event.decode_from(bytes(100), 29)
    assert event.decode_from(bytes(100), 28).time == 0
    with pytest.raises(BtfError, match="no whole number"):
        event.decode_all(bytes(100))


def test_members_with_names_of_python_are_reached_by_key(w):
    codec = w.codec(
        w.struct(
            "s",
            6,
            *(
                (n, w.u8, 8 * i)
                for i, n in enumerate(["keys", "_fields", "__iter__", "count", "index", "class"])
            ),
        )
    )
    record = codec.decode(bytes(range(6)))
    assert [record[name] for name in record._fields] == list(range(6))
    assert (record.count, record.index, getattr(record, "class")) == (3, 4, 5)
    assert codec.encode(record) == bytes(range(6))


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_bitfields_lie_as_the_byte_order_has_them(byteorder):
    w = World(byteorder)
    codec = w.codec(w.struct("s", 4, ("a", w.u32, 0, 4), ("b", w.u32, 4, 12), ("c", w.i32, 16, 16)))
    data = codec.encode({"a": 1, "b": 0x234, "c": -2})
    assert data == (b"\x41\x23\xfe\xff" if byteorder == "little" else b"\x12\x34\xff\xfe")
    assert codec.decode(data) == (1, 0x234, -2)


def test_flexible_arrays_take_what_follows(w):
    codec = w.codec(w.struct("s", 4, ("n", w.u32, 0), ("data", w.array(w.u16, 0), 32)))
    record = codec.decode(b"\2\0\0\0\1\0\2\0")
    assert record == (2, [1, 2])
    assert codec.encode(record) == codec.encode({"n": 2, "data": [1, 2]}) == b"\2\0\0\0\1\0\2\0"
    assert codec.decode(bytes(4)) == (0, [])
    text = w.codec(w.struct("t", 1, ("n", w.u8, 0), ("text", w.array(w.char, 0), 8)))
    assert text.decode(b"\1hello\0") == (1, "hello")


def test_a_data_section_is_a_record_of_its_variables(w):
    b = w.b
    first, second = b.add(Var("limit", w.u32)), b.add(Var("name", w.array(w.char, 8)))
    codec = w.codec(b.add(Datasec(".data", 0, (SecVar(first, 0, 4), SecVar(second, 8, 8)))))
    assert codec.size == 16
    assert codec.decode(codec.encode({"limit": 5, "name": "x"})) == (5, "x")


def test_codecs_without_types():
    assert Codec.from_size(4).decode(b"\1\0\0\0") == 1
    assert Codec.from_size(4, "big").encode(1) == b"\0\0\0\1"
    assert Codec.from_size(3).decode(b"abc") == Codec.from_size(3).encode(b"abc") == b"abc"
    assert Codec.from_size(0).decode(b"") == b""
    with pytest.raises(BtfError, match="is not the bytes"):
        Codec.from_size(3).encode(b"abcd")
    with pytest.raises(BtfError, match="3 bytes"):
        Codec.from_size(3).decode(b"abcd")


def test_an_array_of_itself_in_a_struct_is_refused(w):
    """Found by fuzzing: what its elements are was looked for without end."""
    inner = w.b.add(Struct("inner", 8, (Member("a", len(w.b) + 1, 0),)))
    w.b.add(Array(inner + 1, w.u32, 1))
    with pytest.raises(BtfError, match="nests more than 64 arrays"):
        w.codec(inner)


def test_types_without_values_are_refused(w):
    for id in (0, w.struct("loop", 8, ("self", len(w.b), 0))):
        with pytest.raises(BtfError, match=r"has no size|contains itself"):
            w.codec(id)
    for members, why in (
        ([("a", w.u64, 0)], "ends at byte 8 of 4"),
        ([("a", w.u8, 0), ("a", w.u8, 8)], "two members called 'a'"),
        ([("a", w.double, 3)], "begins at bit 3"),
        ([("a", w.double, 0, 3)], "3 bits of double"),
    ):
        with pytest.raises(BtfError, match=why):
            w.codec(w.struct("s", 4, *members))


def test_descriptions_read_like_c(event, w):
    assert event.describe().startswith("struct event { u64 time; char comm[16]; union { u32 v4;")
    assert w.codec(w.b.add(Typedef("port_t", w.u16))).describe() == "port_t"
    assert w.codec(w.array(w.pointer, 3)).describe() == "void *[3]"


VALUES = {
    "u8": st.integers(0, 2**8 - 1),
    "u16": st.integers(0, 2**16 - 1),
    "u32": st.integers(0, 2**32 - 1),
    "u64": st.integers(0, 2**64 - 1),
    "i8": st.integers(-(2**7), 2**7 - 1),
    "i32": st.integers(-(2**31), 2**31 - 1),
    "i64": st.integers(-(2**63), 2**63 - 1),
    "i128": st.integers(-(2**127), 2**127 - 1),
    "bool": st.booleans(),
    "double": st.floats(allow_nan=False),
    "act": st.sampled_from([-1, 0, 5]),
}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_packed_structs_come_back(data):
    """Also against a packing made here, member by member."""
    w = World(data.draw(st.sampled_from(["little", "big"])))
    members, expected, packed = [], [], b""
    order = "<" if w.b.byteorder == "little" else ">"
    codes = dict(zip(VALUES, "BHIQbiq", strict=False)) | {"bool": "?", "double": "d", "act": "i"}
    for number in range(data.draw(st.integers(0, 8))):
        kind = data.draw(st.sampled_from(list(VALUES)))
        value = data.draw(VALUES[kind])
        members.append((f"m{number}", getattr(w, kind), len(packed) * 8))
        expected.append(value)
        if kind == "i128":
            packed += value.to_bytes(16, w.b.byteorder, signed=True)
        else:
            packed += struct.pack(order + codes[kind], value)
    codec = w.codec(w.struct("s", len(packed), *members))
    assert codec.encode(expected) == packed
    assert codec.decode(packed) == expected
    assert codec.encode(codec.decode(packed)) == packed


def test_one_struct_has_one_class_per_btf(event):
    assert type(event.decode(bytes(72))) is type(event.decode(bytes(72)))
    assert isinstance(event.decode(bytes(72)).place, type(event.decode(bytes(72)).places[0]))


def test_enum_values_are_integers():
    assert EnumValue(5, "FIVE") + 1 == 6


def test_unused_types_cost_nothing():
    """A codec for a struct does not look at the structs inside it."""
    w = World()
    inner = w.struct("inner", 4, ("broken", w.u64, 0))
    codec = w.codec(w.struct("outer", 8, ("a", w.u32, 0), ("inner", inner, 32)))
    record = codec.decode(bytes(8))
    assert record.a == 0
    with pytest.raises(BtfError, match="inner: member broken ends at byte 8 of 4"):
        record.inner  # noqa: B018
    assert isinstance(Btf.parse(w.b.bytes()), Btf)


def test_a_data_section_in_itself_is_refused():
    """As in damaged BTF: the variable of a section that is of the section's type."""
    b = BtfBuilder()
    section = b.add(Datasec(".data", 72, (SecVar(2, 0, 72),)))
    b.add(Var("v", section))
    with pytest.raises(BtfError, match=r"datasec .data contains the section '.data'"):
        repr(Codec(b.build(), section).decode(bytes(72)))
