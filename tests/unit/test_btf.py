"""BTF is read lazily, checked when looked at, written back equal, and copied between blobs."""

import struct

import pytest

from ebee.btf import (
    BOOL,
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
    Enumeration,
    Enumerator,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Linkage,
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
    Void,
    Volatile,
)
from ebee.btf.types import KINDS
from ebee.btf.validate import validate
from ebee.errors import BtfError

pytestmark = pytest.mark.unit


def every_kind(b: BtfBuilder) -> list:
    """One type of each kind, with the ids 1, 2, ..."""
    types = [
        Int("int", 4, SIGNED, 32),
        Int("_Bool", 1, BOOL, 8),
        Ptr(1),
        Array(1, 1, 7),
        Struct("s", 40, (Member("a", 1, 0), Member("b", 3, 64), Member("c", 4, 96))),
        Struct("bits", 4, (Member("x", 1, 0, 3), Member("y", 1, 3, 29))),
        Union("u", 28, (Member("a", 1, 0), Member("c", 4, 0))),
        Enum("e", 4, True, (Enumerator("A", -1), Enumerator("B", 2**31 - 1))),
        Enum("f", 4, False, (Enumerator("C", 2**32 - 1),)),
        Enum64("g", 8, True, (Enumerator("D", -(2**63)), Enumerator("E", 2**63 - 1))),
        Enum64("h", 8, False, (Enumerator("F", 2**64 - 1),)),
        Fwd("later"),
        Fwd("later_union", True),
        Typedef("t", 5),
        Volatile(1),
        Const(15),
        Restrict(3),
        FuncProto(1, (Param("a", 1), Param("", 0))),
        Func("f", 18, Linkage.GLOBAL),
        Var("v", 16, Linkage.EXTERN),
        Datasec(".data", 8, (SecVar(20, 0, 4),)),
        Float("double", 8),
        DeclTag("tag", 5, 1),
        DeclTag("whole", 19, -1, attribute=True),
        TypeTag("user", 1),
        TypeTag("address_space(1)", 1, attribute=True),
    ]
    return [found._replace(id=b.add(found)) for found in types]


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_every_kind_comes_back_as_it_was_written(byteorder):
    b = BtfBuilder(byteorder=byteorder)
    types = every_kind(b)
    btf = b.build()
    assert btf.byteorder == byteorder
    assert {type(found) for found in types} | {Void} == set(KINDS)
    for id, found in enumerate(types, 1):
        assert btf.type(id) == found
        assert type(btf.type(id)) is type(found) is btf.kind(id)
    assert list(btf) == types
    validate(btf)
    assert BtfBuilder.edit(btf).bytes() == b.bytes()


def test_types_are_found_by_name_and_kind():
    b = BtfBuilder()
    number = b.add(Int("x", 4))
    first = b.add(Struct("x", 4, (Member("a", number, 0),)))
    second = b.add(Struct("x", 8, (Member("a", number, 0),)))
    b.add(Struct("task_struct", 0, ()))
    btf = b.build()
    assert btf.find("x").id == number
    assert btf.find("x", Struct).id == first
    assert btf.find("x", (Union, Struct)).id == first
    assert [found.id for found in btf.find_all("x")] == [number, first, second]
    assert btf.find("x", Composite).id == first
    assert btf.get("x", Enumeration) is None
    assert btf.get("y") is None
    assert btf.find_all("") == []
    with pytest.raises(BtfError, match=r"no union 'x', only a int and a struct of that name"):
        btf.find("x", Union)
    with pytest.raises(BtfError, match="no struct 'task_strukt'; did you mean task_struct"):
        btf.find("task_strukt", Struct)


def test_a_name_may_share_the_tail_of_another_string():
    # No producer here does it, so it is made by hand: "bar" is the end of "foobar".
    strings = b"\0foobar\0"
    types = struct.pack("<6I", 4, 7 << 24, 0, 1, 7 << 24, 0)
    header = struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings))
    btf = Btf.parse(header + types + strings)
    assert btf.find("bar") == Fwd("bar", id=1)
    assert btf.find("foobar") == Fwd("foobar", id=2)


def test_flavours_are_found_with_their_plain_name():
    b = BtfBuilder()
    ids = [b.add(Struct(name, 0, ())) for name in ("a", "a___old", "a___x___y", "a__b", "ba", "ab")]
    assert b.build().ids_with_flavours("a") == ids[:3]


def test_resolve_looks_through_modifiers_and_typedefs():
    b = BtfBuilder()
    at = number = b.add(Int("int", 4))
    for wrap in (
        Const,
        Volatile,
        Restrict,
        lambda id: Typedef("t", id),
        lambda id: TypeTag("u", id),
    ):
        at = b.add(wrap(at))
    assert b.build().resolve(at).id == number


def test_sizes():
    b = BtfBuilder()
    every_kind(b)
    deep = b.add(Array(4, 1, 3))
    btf = b.build()
    assert [btf.sizeof(id) for id in (1, 2, 3, 4, 5, 7, 8, 10, 14, 16, 20, 21, 22, deep)] == [
        *(4, 1, 8, 28, 40, 28, 4, 8, 40, 4, 4, 8, 8, 84)
    ]
    for id in (0, 12, 18, 19, 23):
        with pytest.raises(BtfError, match="has no size"):
            btf.sizeof(id)


def test_pointers_have_the_size_of_long():
    b = BtfBuilder()
    b.add(Int("long unsigned int", 4))
    pointer = b.add(Ptr(0))
    assert b.build().sizeof(pointer) == 4


def test_alignment_shows_whether_a_struct_is_packed():
    b = BtfBuilder()
    u8, u64 = b.add(Int("u8", 1)), b.add(Int("u64", 8))
    plain = b.add(Struct("plain", 16, (Member("a", u8, 0), Member("b", u64, 64))))
    packed = b.add(Struct("packed", 9, (Member("a", u8, 0), Member("b", u64, 8))))
    array = b.add(Array(plain, u8, 4))
    btf = b.build()
    assert [btf.alignof(id) for id in (u8, u64, plain, packed, array)] == [1, 8, 8, 1, 8]


def test_both_encodings_of_bitfields_are_understood():
    b = BtfBuilder()
    narrow = b.add(Int("int", 4, SIGNED, bits=3, offset=5))
    plain = b.add(Int("int", 4, SIGNED))
    old = b.add(Struct("old", 4, (Member("a", narrow, 8),)))
    new = b.add(Struct("new", 4, (Member("a", plain, 13, 3),)))
    btf = b.build()
    for id in (old, new):
        assert btf.bitfield(btf.type(id).members[0]) == (13, 3)
    assert btf.bitfield(Member("a", plain, 32)) == (32, 0)


# -- split BTF -----------------------------------------------------------------------------------


@pytest.fixture
def base() -> Btf:
    b = BtfBuilder()
    number = b.add(Int("int", 4))
    b.add(Struct("shared", 4, (Member("number", number, 0),)))
    return b.build()


def test_split_btf_goes_on_from_its_base(base):
    b = BtfBuilder(base)
    own = b.add(Struct("own", 8, (Member("number", 1, 0), Member("shared", 2, 32))))
    again = b.add(Struct("shared", 4, ()))
    split = Btf.parse(b.bytes(), base)
    assert own == len(base) == 3
    assert split.type(own).members[1] == Member("shared", 2, 32)
    assert split.type(2) == base.type(2)
    assert split.find("own", Struct).id == own
    assert [found.id for found in split.find_all("shared")] == [2, again]
    assert [found.id for found in split] == [own, again]
    assert split.sizeof(own) == 8
    # "number" and "shared" are the base's strings.
    assert b"number" not in b.bytes()
    validate(split)


def test_split_btf_needs_a_base_of_its_byte_order(base):
    with pytest.raises(BtfError, match="split BTF is big-endian, its base is not"):
        Btf.parse(BtfBuilder(byteorder="big").bytes(), base)


# -- the builder ---------------------------------------------------------------------------------


def test_types_can_refer_to_each_other():
    b = BtfBuilder()
    node = b.reserve()
    pointer = b.add(Ptr(node))
    with pytest.raises(BtfError, match="type 1 was reserved but never set"):
        b.bytes()
    b.set(node, Struct("node", 8, (Member("next", pointer, 0),)))
    btf = b.build()
    assert btf.type(btf.type(btf.find("node").members[0].type).type).name == "node"


def test_intern_adds_a_type_once():
    b = BtfBuilder()
    assert b.intern(Ptr(0)) == b.intern(Ptr(0, id=9)) == 1
    assert b.intern(Const(0)) == 2


def test_copying_takes_along_all_that_is_needed_and_nothing_twice():
    b = BtfBuilder()
    node, pointer, number = b.reserve(), b.add(Ptr(1)), b.add(Int("int", 4))
    b.add(Struct("unrelated", 0, ()))
    b.set(node, Struct("node", 16, (Member("next", pointer, 0), Member("n", number, 64))))
    source = b.build()
    target = BtfBuilder()
    target.add(Float("double", 8))
    new = target.copy(source, node)
    assert target.copy(source, number) < len(target)
    btf = target.build()
    assert len(btf) == 5
    assert btf.type(new).name == "node"
    assert btf.type(btf.type(btf.type(new).members[0].type).type).id == new
    assert btf.get("unrelated") is None


def test_copying_can_replace_types():
    b = BtfBuilder()
    inner = b.add(Struct("inner", 400, ()))
    outer = b.add(Struct("outer", 8, (Member("p", b.add(Ptr(inner)), 0),)))
    source = b.build()
    target = BtfBuilder()
    new = target.copy(
        source, outer, lambda found: Fwd(found.name) if found.name == "inner" else None
    )
    btf = target.build()
    assert btf.type(btf.type(btf.type(new).members[0].type).type) == Fwd("inner", id=len(btf) - 1)


def test_a_copy_that_fails_leaves_nothing_behind():
    b = BtfBuilder()
    number = b.add(Int("int", 4))
    b.add(Struct("s", 8, (Member("a", number, 0), Member("b", 3, 32))))
    b.add(Int("bad", 4, bits=8, offset=8))
    data = b.bytes()
    at = data.index(struct.pack("<I", 8 << 16 | 8))
    source = Btf.parse(data[:at] + struct.pack("<I", 200 << 16 | 8) + data[at + 4 :])
    target = BtfBuilder()
    for _ in range(2):
        with pytest.raises(BtfError, match="type 3: integer of 4 bytes"):
            target.copy(source, 2)
        assert len(target) == 1
    assert target.copy(source, number) == 1


def test_copying_to_a_split_of_the_same_base_shares_the_base(base):
    b = BtfBuilder(base)
    own = b.add(Ptr(2))
    target = BtfBuilder(base)
    target.add(Ptr(0))
    new = target.copy(b.build(), own)
    assert target.build().type(new).type == 2


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (Ptr(9), "refers to missing type 9"),
        (Enum("e", 4, False, (Enumerator("A", -1),)), "value -1 does not fit in 32 bits"),
        (Enum64("e", 8, True, (Enumerator("A", 2**63),)), "does not fit in 64 bits"),
        (Struct("s", 4, (Member("a", 1, 1 << 24, 1),)), "does not fit in 24 bits"),
        (Struct("s", 4, (Member("a", 1, 0, 256),)), "does not fit in 8 bits"),
        (Struct("s", 1 << 32, ()), "does not fit in 32 bits"),
        (Struct("a\0b", 1, ()), "has a NUL character"),
        (Void(), "void cannot be added"),
        (FuncProto(0, (Param("", 1),) * 65536), "65536 entries; BTF can hold 65535"),
    ],
)
def test_the_builder_refuses_what_btf_cannot_say(bad, why):
    b = BtfBuilder()
    b.add(Int("int", 4))
    b.add(bad)
    with pytest.raises(BtfError, match=why):
        b.bytes()


# -- damage --------------------------------------------------------------------------------------


def blob(*words: int, strings: bytes = b"\0a\0", **header: int) -> bytes:
    """BTF with these words as its type section; header fields by name."""
    fields = {
        "magic": 0xEB9F,
        "version": 1,
        "flags": 0,
        "hdr_len": 24,
        "type_off": 0,
        "type_len": len(words) * 4,
        "str_off": len(words) * 4,
        "str_len": len(strings),
    } | header
    return (
        struct.pack("<HBBIIIII", *fields.values())
        + struct.pack(f"<{len(words)}I", *words)
        + strings
    )


INT = (1, 1 << 24, 4, 32)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "0 bytes are too few"),
        (b"\x7fELF" + bytes(60), "this is no BTF: it begins with 7f45, not 9feb"),
        (blob(version=2), "version 2 is unknown"),
        (blob(flags=1), "flags 0x1 are unknown"),
        (blob(hdr_len=4), "header claims 4 bytes"),
        (blob(hdr_len=1 << 31), "header claims"),
        (blob(*INT, type_len=400), "type section .400 bytes at 24. reaches past the end"),
        (blob(*INT, str_off=400), "string section .* reaches past the end"),
        (blob(*INT, type_off=1, type_len=15), "not aligned"),
        (blob(*INT, str_off=4), "overlap"),
        (blob(strings=b"\0a"), "not NUL-terminated"),
        (blob(strings=b"a\0"), "does not begin with the empty string"),
        (blob(strings=b""), "string section is empty"),
        (blob(1, 20 << 24, 0), "type number 1 of its section: kind 20 is unknown"),
        (blob(1, 0, 0), "kind 0 is unknown"),
        (blob(1, 1 << 24 | 1 << 16, 4, 32), "reserved bits"),
        (blob(1, 1 << 24 | 1 << 31, 4, 32), "Int cannot have the kind flag"),
        (blob(1, 2 << 24 | 5, 0), "Ptr cannot have 5 entries"),
        (blob(1, 4 << 24 | 5, 0), "runs past the end"),
        (blob(1, 1 << 24), "runs past the end"),
    ],
)
def test_damage_that_shows_at_once(data, why):
    with pytest.raises(BtfError, match=why):
        Btf.parse(data)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((9, 1 << 24, 4, 32), "type 1: string offset 9 is outside the 3 bytes"),
        ((1, 1 << 24, 2, 24), "integer of 2 bytes with 24 bits"),
        ((1, 1 << 24, 4, 33), "33 bits at bit 0"),
        ((1, 1 << 24, 4, 9 << 24 | 32), "unknown encoding"),
        ((1, 16 << 24, 5), "floating-point number of 5 bytes"),
        ((1, 6 << 24, 3), "enumeration of 3 bytes"),
        ((1, 6 << 24 | 1, 0, 1, 0), "enumeration of 0 bytes"),
    ],
)
def test_damage_that_shows_when_the_type_is_asked_for(words, why):
    btf = Btf.parse(blob(*words))
    with pytest.raises(BtfError, match=why):
        btf.type(1)


def test_an_id_that_is_not_there_is_refused():
    btf = Btf.parse(blob(*INT))
    for id in (2, -1, 1 << 40):
        with pytest.raises(BtfError, match="there is no type"):
            btf.type(id)


def test_a_name_that_is_no_text_is_refused():
    btf = Btf.parse(blob(*INT, strings=b"\0\xff\0"))
    with pytest.raises(BtfError, match="not UTF-8"):
        btf.type(1)


@pytest.mark.parametrize(
    ("types", "why"),
    [
        ([Const(1)], "refers to itself"),
        ([Typedef("a", 2), Const(1)], "refers to itself"),
        ([Struct("s", 4, (Member("a", 1, 0),))], "contains itself"),
        ([Int("i", 4), Struct("s", 4, (Member("a", 3, 0),)), Array(2, 1, 1)], "contains itself"),
        ([Int("i", 4), Array(2, 1, 1), Struct("s", 4, (Member("a", 2, 0),))], "nests more than 64"),
        ([Int("i", 4), Struct("s", 4, (Member("a", 1, 8),))], "reaches bit 40 of only 4 bytes"),
        ([Float("f", 4), Struct("s", 8, (Member("a", 1, 1),))], "begins at bit 1"),
        ([Int("i", 4), Struct("s", 8, (Member("a", 1, 0, 33),))], "33 bits in a type of 4"),
        ([Struct("s", 8, (Member("a", 0, 0),))], "of which there are no values"),
        ([Fwd("f"), Struct("s", 8, (Member("a", 1, 0),))], "of which there are no values"),
        ([Int("i", 4), Struct("s", 8, (Member("a b", 1, 0),))], "'a b' is no name"),
        ([Int("i", 4), Func("f", 1)], "is no function prototype"),
        ([FuncProto(0, ()), Func("f", 1, 3)], "linkage 3"),
        ([FuncProto(0, (Param("x", 1),))], "parameter 1 has type 1"),
        ([Int("i", 4), Array(1, 1, 2), Array(1, 2, 2)], "index type 2 is no integer"),
        ([Array(0, 0, 2)], "its element has type 0"),
        ([Int("i", 4), Var("v", 1), Ptr(2)], "refers to type 2, a var"),
        ([Int("i", 4), DeclTag("t", 1)], "has no declaration"),
        ([Int("i", 4), Typedef("t", 1), DeclTag("t", 2, 0)], "component 0 of 0"),
        ([Int("i", 4), Var("v", 1), Datasec("d", 4, (SecVar(2, 2, 4),))], "ends at 6 of 4"),
        (
            [Int("i", 4), Var("v", 1), Datasec("d", 8, (SecVar(2, 4, 4), SecVar(2, 0, 4)))],
            "overlap",
        ),
        ([Int("i", 4), Datasec("d", 4, (SecVar(1, 0, 4),))], "neither variable nor function"),
        ([Typedef("", 0)], "it needs a name"),
    ],
)
def test_validation_finds_what_laziness_passes_over(types, why):
    b = BtfBuilder()
    for found in types:
        b.add(found)
    btf = b.build()
    with pytest.raises(BtfError, match=why):
        validate(btf)


def test_endless_chains_end():
    b = BtfBuilder()
    b.add(Int("int", 4))
    loop = b.add(Const(3))
    b.add(Volatile(2))
    for number in range(100):
        b.add(Array(len(b) - 1 if number else 1, 1, 1))
    many = b.add(Array(1, 1, 1 << 31))
    btf = b.build()
    with pytest.raises(BtfError, match="refers to itself"):
        btf.resolve(loop)
    with pytest.raises(BtfError, match="nests more than"):
        btf.sizeof(many - 1)
    with pytest.raises(BtfError, match="an array of 8589934592 bytes"):
        btf.sizeof(many)


@pytest.mark.parametrize("module", ["builder", "codec", "static"])
def test_the_examples_of_the_documentation_run(module):
    import doctest
    from importlib import import_module

    result = doctest.testmod(import_module(f"ebee.btf.{module}"))
    assert result.failed == 0
    assert result.attempted
