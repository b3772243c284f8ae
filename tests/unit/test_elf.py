"""ELF: what is written reads back in both byte orders; what is damaged or foreign is refused."""

import struct

import pytest

from ebee.errors import ObjectError
from ebee.obj import elf
from ebee.obj.elf import ElfWriter, NewSection, NewSymbol

pytestmark = pytest.mark.unit

SHOFF, SHNUM, SHSTRNDX = 0x28, 0x3C, 0x3E


def sample(endian: elf.Endian = "little") -> bytes:
    writer = ElfWriter(endian)
    code = writer.section(NewSection("xdp", bytes(24), flags=elf.SHF_ALLOC | elf.SHF_EXECINSTR))
    data = writer.section(NewSection(".data", b"12345678", flags=elf.SHF_ALLOC | elf.SHF_WRITE))
    writer.section(NewSection(".bss", b"", elf.SHT_NOBITS, elf.SHF_ALLOC, size=1 << 40))
    order = "<" if endian == "little" else ">"
    note = struct.pack(order + "III", 5, 3, 7) + b"ebee\0\0\0\0" + b"GNU\0"
    writer.section(NewSection(".note", note, elf.SHT_NOTE, align=4))
    variable = writer.symbol(NewSymbol("counter", data, 4, 4, type=elf.STT_OBJECT))
    writer.symbol(NewSymbol("main", code, 0, 24, type=elf.STT_FUNC))
    local = writer.symbol(NewSymbol("", data, bind=elf.STB_LOCAL, type=elf.STT_SECTION))
    weak = writer.symbol(NewSymbol("maybe", bind=elf.STB_WEAK, visibility=elf.STV_HIDDEN))
    for offset, symbol in ((16, weak), (0, variable), (8, local)):
        writer.reloc(code, offset, elf.R_BPF_64_64, symbol)
    return writer.build()


@pytest.mark.parametrize("endian", ["little", "big"])
def test_a_written_file_reads_back(endian: elf.Endian) -> None:
    file = elf.read(sample(endian), "sample.o")
    assert (file.endian, file.machine) == (endian, elf.EM_BPF)
    code, data, bss = (file.find(name) for name in ("xdp", ".data", ".bss"))
    assert code
    assert data
    assert bss
    assert bytes(data.data) == b"12345678"
    assert (bss.size, bytes(bss.data)) == (1 << 40, b"")
    assert [(s.name, s.bind) for s in file.symbols] == [
        ("", elf.STB_LOCAL),
        ("", elf.STB_LOCAL),
        ("counter", elf.STB_GLOBAL),
        ("main", elf.STB_GLOBAL),
        ("maybe", elf.STB_WEAK),
    ]
    assert (file.symbols[4].section, file.symbols[4].visibility) == (elf.SHN_UNDEF, elf.STV_HIDDEN)
    table = file.find(".relxdp")
    assert table
    assert table.info == code.index
    found = [(r.offset, file.symbols[r.symbol].name, r.addend) for r in file.relocs(table)]
    assert found == [(0, "counter", None), (8, "", None), (16, "maybe", None)]


@pytest.mark.parametrize("endian", ["little", "big"])
def test_notes_are_read(endian: elf.Endian) -> None:
    file = elf.read(sample(endian))
    section = file.find(".note")
    assert section
    assert list(file.notes(section)) == [elf.Note("ebee", 7, b"GNU")]


def test_local_symbols_come_first_and_are_counted() -> None:
    file = elf.read(sample())
    table = next(s for s in file.sections if s.type == elf.SHT_SYMTAB)
    assert table.info == 2
    assert all(s.bind == elf.STB_LOCAL for s in file.symbols[: table.info])
    assert all(s.bind != elf.STB_LOCAL for s in file.symbols[table.info :])


@pytest.mark.parametrize("endian", ["little", "big"])
def test_another_reader_agrees(endian: elf.Endian, tmp_path) -> None:
    elffile = pytest.importorskip("elftools.elf.elffile")
    path = tmp_path / "sample.o"
    path.write_bytes(sample(endian))
    ours = elf.read(path.read_bytes())
    with path.open("rb") as stream:
        theirs = elffile.ELFFile(stream)
        assert theirs.little_endian == (endian == "little")
        assert [s.name for s in theirs.iter_sections()] == [s.name for s in ours.sections]
        symbols = theirs.get_section_by_name(".symtab")
        assert [
            (s["st_value"], s["st_size"], s["st_info"]["bind"]) for s in symbols.iter_symbols()
        ] == [
            (s.value, s.size, ("STB_LOCAL", "STB_GLOBAL", "STB_WEAK")[s.bind]) for s in ours.symbols
        ]
        relocs = theirs.get_section_by_name(".relxdp")
        table = ours.find(".relxdp")
        assert table
        assert [(r["r_offset"], r["r_info_sym"]) for r in relocs.iter_relocations()] == [
            (r.offset, r.symbol) for r in ours.relocs(table)
        ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x7fELF", "truncated ELF"),
        (b"#include <linux/bpf.h>\n", "C source; compile it first"),
        (b"BC\xc0\xde" + bytes(80), "LLVM bitcode"),
        (b"!<arch>\n" + bytes(80), "archive"),
        (b"hello, world", "not an ELF object"),
    ],
)
def test_foreign_files_are_named(content: bytes, message: str) -> None:
    with pytest.raises(ObjectError, match=message):
        elf.read(content, "input")


def patched(offset: int, layout: str, value: int) -> bytes:
    data = bytearray(sample())
    struct.pack_into("<" + layout, data, offset, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("offset", "layout", "value", "message"),
    [
        (4, "B", 1, "32-bit ELF"),
        (5, "B", 3, "byte order"),
        (0x12, "H", 62, "x86-64 object, not BPF; compile with clang -target bpf"),
        (0x12, "H", 9999, "machine-9999"),
        (0x10, "H", 2, "an executable, not a relocatable object"),
        (0x10, "H", 3, "a shared library"),
        (SHOFF, "Q", 1 << 40, "truncated ELF"),
        (SHNUM, "H", 60000, "truncated ELF"),
        (SHSTRNDX, "H", 500, "section names are in section 500"),
        (0x3A, "H", 40, "section headers of 40 bytes"),
    ],
)
def test_a_wrong_header_is_refused(offset: int, layout: str, value: int, message: str) -> None:
    with pytest.raises(ObjectError, match=message):
        elf.read(patched(offset, layout, value), "prog.o")


def header_of(data: bytes, name: str) -> int:
    """The offset of a section's header in the file."""
    section = elf.read(data).find(name)
    assert section
    return struct.unpack_from("<Q", data, SHOFF)[0] + 64 * section.index


@pytest.mark.parametrize(
    ("section", "field", "value", "message"),
    [
        (".data", 0x20, 1 << 50, "outside the file"),
        (".data", 0x18, 1 << 63, "outside the file"),
        (".symtab", 0x20, 25, "no multiple of 24"),
        (".symtab", 0x28, 9999, "string table is missing"),
        (".strtab", 0x20, 0, "has no end"),
        ("xdp", 0x00, 1 << 31, "has no end"),
    ],
)
def test_a_wrong_section_is_refused(section: str, field: int, value: int, message: str) -> None:
    data = bytearray(sample())
    at = header_of(bytes(data), section) + field
    struct.pack_into("<I" if field in (0, 0x28) else "<Q", data, at, value)
    with pytest.raises(ObjectError, match=message):
        elf.read(bytes(data), "prog.o")


def test_overlapping_sections_are_refused() -> None:
    data = bytearray(sample())
    for name in ("xdp", ".data", ".note"):
        struct.pack_into("<QQ", data, header_of(bytes(sample()), name) + 0x18, 0, len(data))
    with pytest.raises(ObjectError, match="overlap"):
        elf.read(bytes(data))


def test_names_that_share_one_long_string_are_refused() -> None:
    writer = ElfWriter()
    writer.symbol(NewSymbol("x" * 60_000))
    for _ in range(2000):
        writer.symbol(NewSymbol(""))
    data = bytearray(writer.build())
    elf.read(bytes(data))
    symbols = struct.unpack_from("<Q", data, header_of(bytes(data), ".symtab") + 0x18)[0]
    for index in range(2, 2002):  # 120 MB of names, were they all taken
        struct.pack_into("<I", data, symbols + 24 * index, index)
    with pytest.raises(ObjectError, match="names of a string table overlap"):
        elf.read(bytes(data))


@pytest.mark.parametrize("endian", ["little", "big"])
def test_every_truncation_is_refused(endian: elf.Endian) -> None:
    data = sample(endian)
    for length in range(len(data)):
        with pytest.raises(ObjectError):
            elf.read(data[:length])
