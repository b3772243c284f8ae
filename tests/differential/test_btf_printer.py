"""C that is printed compiles, and what clang makes of it is the BTF that was printed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ebee.btf import (
    Array,
    Btf,
    BtfBuilder,
    Const,
    DeclTag,
    Enum,
    Enum64,
    Enumerator,
    Func,
    FuncProto,
    Fwd,
    Int,
    Member,
    Param,
    Ptr,
    Struct,
    Typedef,
    Union,
    Var,
    Volatile,
)
from ebee.btf.printer import c, declare, definition
from ebee.btf.view import view
from ebee.errors import BtfError

CLANG = shutil.which("clang-19") or shutil.which("clang")
pytestmark = pytest.mark.differential
needs_clang = pytest.mark.skipif(not CLANG, reason="needs clang with the bpf target")

SOURCE = r"""
typedef unsigned char u8; typedef unsigned int u32; typedef unsigned long long u64;
typedef int (*handler)(struct node *, const char *fmt, ...);
typedef void function(void);
struct node {
    struct node *next; handler h; function *f; int (*table[4])(int, u8);
    int (*(*nested)(u32))[3]; const volatile int *const cv; char *const *restrict argv;
    union { struct { u8 a; u64 b; }; u32 raw[4]; }; struct { int x; } named, *pointed, many[2];
    enum { LOCAL = 5 } local; enum big { BIG = 1ULL << 40, NEG = -1 } big;
    u32 f1 : 3, : 5, f2 : 9; u64 f3 : 60; u8 tail; int flex[];
};
struct packed { u8 a; u64 b; u32 c : 7; struct { u8 x; u32 y; } in; } __attribute__((packed));
struct aligned { u8 a; } __attribute__((aligned(64)));
struct holds { u8 a; struct aligned b; struct packed c; u8 d; };
struct odd { u8 a; u32 b; } __attribute__((packed, aligned(2)));
struct empty {};
struct bits { u32 : 7; u32 a : 3; u32 : 0; u32 b : 30; u64 c : 33; u8 d : 1; _Bool e : 1; };
union wide { u8 a; u64 b; } __attribute__((aligned(32)));
enum small { S1 = 1, S2 = 200 } __attribute__((packed));
enum half { H = 1 } __attribute__((mode(HI)));
enum unsigned_big { UB = 0xffffffff };
struct uses { enum small s; enum half h; enum unsigned_big u; __int128 i; union wide w;
              struct empty e; float f; double d; };
struct node n; struct packed p; struct holds h; struct odd o; struct bits b; struct uses u;
"""


def compiled(source: str, folder: Path, *options: str) -> Btf:
    (folder / "test.c").write_text(source + "\nint there_is_btf;\n")
    command = [CLANG, "-target", "bpf", "-g", "-O2", "-Wno-everything", *options]
    done = subprocess.run(
        [*command, "-c", "test.c", "-o", "test.o"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stderr[:3000]}\n{source}"
    return Btf.load(folder / "test.o")


def outline(btf: Btf, name: str) -> list:
    """A struct's members with what C says of them, padding aside."""
    found = btf.find(name, (Struct, Union))

    def inside(found) -> list:
        rows = [found.size]
        for member in found.members:
            if (not member.name and member.bits) or member.name == "__size":
                continue
            target = btf.resolve(member.type)
            row = [member.name, *btf.bitfield(member), btf.sizeof(member.type)]
            if isinstance(target, (Struct, Union)) and not target.name:
                rows.append([*row, inside(target)])
            else:
                rows.append([*row, declare(btf, member.type)])
        return rows

    return inside(found)


@needs_clang
def test_what_is_printed_compiles_to_what_was_printed(tmp_path):
    first = compiled(SOURCE, tmp_path)
    header = c(first)
    variables = "struct node n; struct packed p; struct holds h; struct odd o; struct bits b;"
    second = compiled(f"{header}\n{variables} struct uses u;", tmp_path)
    for name in ("node", "packed", "holds", "aligned", "odd", "bits", "uses", "wide"):
        assert outline(second, name) == outline(first, name)
    for name in ("small", "half", "unsigned_big", "big"):
        one, other = first.find(name, (Enum, Enum64)), second.find(name, (Enum, Enum64))
        assert (one.size, one.values) == (other.size, other.values)
        assert name == "half" or one.signed == other.signed  # see the printer on `mode`


@needs_clang
def test_names_that_are_taken_get_a_flavour(tmp_path):
    b = BtfBuilder()
    number = b.add(Int("int", 4, 1))
    one = b.add(Struct("x", 4, (Member("a", number, 0),)))
    two = b.add(Struct("x", 8, (Member("a", number, 0), Member("b", number, 32))))
    enum = b.add(Enum("x", 4, False, (Enumerator("A", 1),)))
    other = b.add(Enum("y", 4, False, (Enumerator("A", 2),)))
    b.add(Typedef("A", number))
    pointers = [b.add(Ptr(id)) for id in (one, two, enum, other, b.add(Fwd("x", True)))]
    members = tuple(Member(f"p{at}", id, at * 64) for at, id in enumerate(pointers))
    b.add(Struct("user", 40, members))
    header = c(b.build())
    compiled(header + "struct user u; struct x___2 two; enum y y;", tmp_path)
    assert "struct x___2 {" in header
    assert "enum x___enum {" in header
    assert "A___2 = 2" in header
    assert "union x___union *p4" in header


@needs_clang
def test_kfuncs_are_declared(tmp_path):
    b = BtfBuilder()
    number = b.add(Int("int", 4, 1))
    proto = b.add(FuncProto(number, (Param("task", b.add(Ptr(b.add(Struct("task", 0, ()))))),)))
    function = b.add(Func("bpf_task_do", proto))
    b.add(Func("not_a_kfunc", proto))
    b.add(DeclTag("bpf_kfunc", function))
    b.add(DeclTag("bpf_fastcall", function))
    header = c(b.build())
    assert "extern __bpf_fastcall int bpf_task_do(struct task *task) __weak __ksym;" in header
    assert "not_a_kfunc" not in header
    user = "int use(struct task *t) { return bpf_task_do ? bpf_task_do(t) : 0; }"
    assert compiled(header + user, tmp_path).find("bpf_task_do", Func).linkage == 2


@needs_clang
def test_numbers_that_c_does_not_know_are_typedefs(tmp_path):
    b = BtfBuilder()
    members = (
        Member("a", b.add(Int("u16", 2)), 0),
        Member("b", b.add(Int("isize", 8, 1)), 64),
        Member("long32", b.add(Int("long", 4, 1)), 128),
    )
    id = b.add(Struct("Vec<u8>", 24, members))
    source = c(b.build(), [id])
    check = '_Static_assert(sizeof(struct Vec_u8_) == 24, "");'
    compiled(source + check, tmp_path)
    assert "typedef unsigned short u16;" in source
    assert "typedef long isize;" in source


@needs_clang
def test_big_gaps_and_impossible_layouts_compile_too(tmp_path):
    b = BtfBuilder()
    number = b.add(Int("int", 4, 1))
    gap = b.add(Struct("gap", 1 << 20, (Member("a", number, 0), Member("b", number, 1 << 22))))
    overlap = b.add(Struct("overlap", 8, (Member("a", number, 0), Member("b", number, 16))))
    wide = b.add(Union("wide", 100, (Member("a", number, 0),)))
    source = c(b.build(), [gap, overlap, wide])
    checks = "".join(
        f'_Static_assert(sizeof({tag}) == {size}, "");'
        for tag, size in (("struct gap", 1 << 20), ("struct overlap", 8), ("union wide", 100))
    )
    offset = '_Static_assert(__builtin_offsetof(struct gap, b) == 1 << 19, "");'
    compiled(source + checks + offset, tmp_path)


def test_declarations():
    b = BtfBuilder()
    number, char = b.add(Int("int", 4, 1)), b.add(Int("char", 1, 1))
    string = b.add(Ptr(b.add(Const(char))))
    function = b.add(FuncProto(number, (Param("", string), Param("", 0))))
    pointer = b.add(Ptr(function))
    cases = {
        "const char *x": string,
        "int x(const char *, ...)": function,
        "int (*x)(const char *, ...)": pointer,
        "int (*x[3])(const char *, ...)": b.add(Array(pointer, number, 3)),
        "int (*(*x)[3])(const char *, ...)": b.add(Ptr(b.add(Array(pointer, number, 3)))),
        "int x[2][3]": b.add(Array(b.add(Array(number, number, 3)), number, 2)),
        "const char *const volatile x": b.add(Volatile(b.add(Const(string)))),
        "void *x": b.add(Ptr(0)),
        "void (*x)(void)": b.add(Ptr(b.add(FuncProto(0, ())))),
    }
    variable = b.add(Var("limit", number))
    main = b.add(Func("main", function))
    btf = b.build()
    for text, id in cases.items():
        assert declare(btf, id, "x").replace("volatile const", "const volatile") == text
    assert definition(btf, variable) == "int limit;\n"
    assert definition(btf, main) == "int main(const char *, ...);\n"
    assert c(btf, [main]) == "extern int main(const char *, ...);\n"


def test_a_struct_that_contains_itself_is_refused():
    b = BtfBuilder()
    id = b.add(Struct("loop", 8, (Member("self", 1, 0),)))
    with pytest.raises(BtfError, match="contains itself"):
        c(b.build(), [id])


def test_the_view_shows_offsets_sizes_and_holes():
    b = BtfBuilder()
    u8, u32 = b.add(Int("u8", 1)), b.add(Int("u32", 4))
    inner = b.add(Union("", 4, (Member("raw", u32, 0), Member("low", u8, 0))))
    members = (
        Member("a", u8, 0),
        Member("", inner, 32),
        Member("x", u32, 64, 3),
        Member("y", u32, 80, 1),
    )
    id = b.add(Struct("s", 16, members))
    assert view(b.build(), id) == (
        "struct s {  /* 16 bytes */\n"
        "   0       1      u8 a;\n"
        "                  /* hole: 3 bytes */\n"
        "   4       4      union {\n"
        "   4       4          u32 raw;\n"
        "   4       1          u8 low;\n"
        "                  };\n"
        " 8:0  3 bits      u32 x;\n"
        "                  /* hole: 13 bits */\n"
        "10:0   1 bit      u32 y;\n"
        "                  /* padding: 47 bits */\n"
        "}\n"
    )
