"""BTF suited to kernels that do not know all of it."""

import pytest

from ebee.btf import Btf, BtfBuilder
from ebee.btf.types import (
    Const,
    Datasec,
    DeclTag,
    Enum,
    Enum64,
    Enumerator,
    Float,
    Func,
    FuncProto,
    Int,
    Linkage,
    Param,
    SecVar,
    Struct,
    Typedef,
    TypeTag,
    Union,
    Var,
)
from ebee.btf.validate import validate
from ebee.linux.btf import PROBES, LoadedBtf, suit
from ebee.linux.sys import Fd
from ebee.obj.spec import FuncInfo, Line

pytestmark = pytest.mark.unit

INT = Int("int", 4, 1, 32)
TYPES = (
    INT,
    FuncProto(1, (Param("x", 1),)),
    Func("f", 2, Linkage.GLOBAL),
    Var("counter", 1, Linkage.GLOBAL),
    Datasec(".data", 4, (SecVar(4, 0, 4),)),
    Float("double", 8),
    DeclTag("tag", 4),
    TypeTag("kptr", 1),
    Enum64("big", 8, False, (Enumerator("BIG", 1 << 40),)),
    Datasec("?.data", 4, (SecVar(4, 0, 4),)),
    Struct("Vec<u8>", 4, ()),
    Var("CONFIG_HZ", 0, Linkage.EXTERN),
    Func("kfunc", 2, Linkage.EXTERN),
    Datasec(".ksyms", 0, (SecVar(13, 0, 0),)),
)


@pytest.fixture
def btf():
    builder = BtfBuilder()
    for made in TYPES:
        builder.add(made)
    return builder.build()


def kinds(btf):
    return {found.id: type(found) for found in btf}


def test_what_no_kernel_takes_is_always_replaced(btf):
    made = suit(btf)
    assert made.type(12).linkage == Linkage.GLOBAL
    assert made.sizeof(made.type(12).type) == 1
    assert isinstance(made.type(13), Typedef)
    assert made.type(14)[:2] == ("", 0)
    unchanged = {id: kind for id, kind in kinds(btf).items() if id < 12}
    assert {id: kind for id, kind in kinds(made).items() if id < 12} == unchanged


@pytest.mark.parametrize(
    ("missing", "id", "kind"),
    [
        ("func", 2, Enum),
        ("func", 3, Typedef),
        ("datasec", 4, Int),
        ("datasec", 5, Struct),
        ("float", 6, Struct),
        ("decl tag", 7, Int),
        ("type tag", 8, Const),
        ("enum64", 9, Union),
    ],
)
def test_what_a_kernel_lacks_is_replaced_under_the_same_id(btf, missing, id, kind):
    later = {"decl tag"} if missing == "datasec" else set()  # no kernel has one without the other
    made = suit(btf, missing={missing, *later, "names"})
    assert isinstance(made.type(id), kind)
    if missing in ("float", "enum64", "type tag"):
        assert made.sizeof(id) == btf.sizeof(id)
    validate(made)


def test_names_linkage_and_sections_are_made_acceptable(btf):
    assert suit(btf, missing={"names"}).type(11).name == "Vec_u8_"
    assert suit(btf, missing={"global func"}).type(3).linkage == Linkage.STATIC
    assert suit(btf, missing={"? datasec"}).type(10).name == "_.data"


def test_even_the_oldest_kernel_gets_sound_types(btf):
    made = suit(btf, missing={*PROBES, "names"})
    validate(made)
    assert not {Func, Datasec, Var, Float, DeclTag, TypeTag, Enum64} & set(kinds(made).values())


def test_without_need_it_is_the_same_object():
    builder = BtfBuilder()
    builder.add(INT)
    plain = builder.build()
    assert suit(plain) is plain
    assert suit(plain, ["int"]) is plain
    assert suit(plain, ["return 0;"]).string_offset("return 0;") is not None


def test_function_and_line_records_are_all_or_nothing():
    builder = BtfBuilder()
    for made in TYPES[:3]:
        builder.add(made)
    made = suit(builder.build(), ["fw.c", "return 1;"])
    loaded = LoadedBtf(Fd(-1), made)
    funcs = [FuncInfo("f", 0, 3)]
    assert loaded.func_info(funcs) == b"\0\0\0\0\3\0\0\0"
    assert loaded.func_info([*funcs, FuncInfo("g", 4, 0)]) == b""
    assert loaded.func_info([FuncInfo("f", 0, 1)]) == b""
    lines = [Line(0, "fw.c", 3, 2000, "return 1;"), Line(2, "fw.c", 4, 5, "return 1;")]
    records = loaded.line_info(lines, funcs)
    assert len(records) == 32
    assert int.from_bytes(records[12:16], "little") == 3 << 10 | 1023
    text = int.from_bytes(records[8:12], "little")
    assert made.string(text) == "return 1;"
    assert loaded.line_info(lines[1:], funcs) == b""
    assert isinstance(Btf.parse(bytes(made.data)), Btf)
