""".BTF.ext is read whatever its record sizes, written back equal, and refused when damaged."""

import struct

import pytest

from ebee.btf import Btf, BtfBuilder
from ebee.btf.ext import BtfExt, CoreKind, CoreRelo, FuncInfo, LineInfo
from ebee.errors import BtfError

pytestmark = pytest.mark.unit

EXT = BtfExt(
    {"xdp": [FuncInfo(0, 3), FuncInfo(80, 4)], ".text": [FuncInfo(0, 5)]},
    {"xdp": [LineInfo(0, "a.c", "int x;", 7, 3), LineInfo(8, "a.c", "return x;", 4_194_303, 1023)]},
    {"xdp": [CoreRelo(8, 9, "0:1:2", CoreKind.FIELD_EXISTS)]},
)


def written(ext: BtfExt, byteorder: str = "little") -> tuple[bytes, Btf]:
    builder = BtfBuilder(byteorder=byteorder)
    return ext.bytes(builder.string, byteorder), builder.build()


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_what_is_written_is_read(byteorder):
    assert BtfExt.parse(*written(EXT, byteorder)) == EXT


def test_lines_and_columns_past_the_fields_limit_are_cut():
    ext = BtfExt(lines={"s": [LineInfo(0, "f", "t", 1 << 23, 5000)]})
    assert BtfExt.parse(*written(ext)).lines["s"][0][3:] == (0x3FFFFF, 1023)


def test_empty_tables_take_no_space():
    data, btf = written(BtfExt())
    assert len(data) == 32
    assert BtfExt.parse(data, btf) == BtfExt()


def table(size: int, *words: int, header: int = 24, order: str = "<") -> bytes:
    """A section with function info only."""
    body = struct.pack(f"{order}I{len(words)}I", size, *words)
    head = struct.pack(order + "HBBIIIII", 0xEB9F, 1, 0, header, 0, len(body), len(body), 0)
    return head + bytes(header - 24) + body


BTF = BtfBuilder().build()


def test_headers_without_relocations_and_longer_records_are_taken():
    assert BtfExt.parse(table(8, 0, 1, 16, 2), BTF).funcs == {"": [FuncInfo(16, 2)]}
    longer = table(16, 0, 2, 16, 2, 77, 77, 24, 3, 77, 77, header=40)
    assert BtfExt.parse(longer, BTF).funcs == {"": [FuncInfo(16, 2), FuncInfo(24, 3)]}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "too short"),
        (b"\x7fELF" + bytes(30), "does not begin with the BTF magic"),
        (table(8)[:2] + b"\2" + table(8)[3:], "version 2"),
        (struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 64, 0, 0, 0, 0), "claims 64 of 24"),
        (table(8, 0, 1, 16, 2)[:-4], "is cut off"),
        (table(4, 0, 1, 16, 2), "records of 4 bytes; 8 are needed"),
        (table(10, 0, 1, 16, 2), "records of 10 bytes"),
        (table(8, 0, 0), "0 function info records"),
        (table(8, 0, 2, 16, 2), "2 function info records .* do not fit"),
        (table(8, 0, 1 << 31, 16, 2), "do not fit"),
        (table(8, 0), "cut off at byte"),
        (table(8, 99, 1, 16, 2), "string offset 99"),
    ],
)
def test_damage_is_refused(data, why):
    with pytest.raises(BtfError, match=why):
        BtfExt.parse(data, BTF)


def test_unknown_relocations_are_refused():
    data, btf = written(BtfExt(relos={"": [CoreRelo(0, 1, "", 13)]}))  # type: ignore[list-item]
    with pytest.raises(BtfError, match="CO-RE relocation kind 13 is unknown"):
        BtfExt.parse(data, btf)
