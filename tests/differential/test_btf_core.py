"""CO-RE between programs and targets of different layouts, both compiled here by clang."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ebee.btf import SIGNED, Btf, BtfBuilder, Int, Member, Ptr, Struct
from ebee.btf.core import POISON, Relocator, Resolution, patch
from ebee.btf.ext import BtfExt, CoreKind
from ebee.btf.files import section
from ebee.errors import BtfError
from ebee.isa import Insn, decode

CLANG = shutil.which("clang-19") or shutil.which("clang")
pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(not CLANG, reason="needs clang with the bpf target"),
]

# The program's idea of the types, and one function for each relocation: its name tells what.
PROGRAM = (
    r"""
#define PAI __attribute__((preserve_access_index))
typedef unsigned char u8; typedef unsigned int u32; typedef unsigned long long u64;
struct inner { int a; u64 b; } PAI;
struct outer {
    int pid; char comm[16]; struct inner in; struct inner arr[4];
    struct { int anon; union { int u1; u64 u2; }; };
    u32 flag : 3; int sflag : 5; u64 wide : 40;
    void *p; u32 small; int gone; u32 grown; int sgrown; struct outer *next; u8 flex[0];
} PAI;
struct outer___old { int oldname; } PAI;
struct outer___v2 { u32 renamed; } PAI;
struct kinds { int x; } PAI;
struct missing { int x; } PAI;
typedef struct { int q; } PAI td;
enum e { EA = 1, EB = 2, EGONE = 9 };
enum e64 { BIG = 0x100000000ULL, SMALL = -1 };
struct m_yes { int a; struct inner *p; };
struct m_no { u64 a; };
union un { int a; u64 b; } PAI;
#define o ((struct outer *)p)
#define old ((struct outer___old *)p)
#define v2 ((struct outer___v2 *)p)
#define k ((struct kinds *)p)
#define t ((td *)p)
#define u ((union un *)p)
#define m ((struct missing *)p)
#define INFO(name, field, kind) \
    int name(void *p) { return __builtin_preserve_field_info(field, kind); }
#define READ(name, type, field) type name(void *p) { return field; }
#define TYPE(name, type, kind) \
    int name(void) { return __builtin_preserve_type_info(*(type *)0, kind); }
#define ID(name, type, kind) u64 name(void) { return __builtin_btf_type_id(*(type *)0, kind); }
#define ENUM(name, type, value, kind) \
    u64 name(void) { return __builtin_preserve_enum_value(*(type *)value, kind); }
"""
    + "\n".join(
        # What clang's builtin takes: 0 offset, 1 size, 2 exists, 3 signed, 4 and 5 shifts.
        f"INFO(i_{name}_{kind}, {field}, {kind})"
        for name, field, kinds in (
            ("pid", "o->pid", "0123"),
            ("comm", "o->comm", "012"),
            ("comm3", "o->comm[3]", "0"),
            ("in_b", "o->in.b", "012345"),
            ("arr2b", "o->arr[2].b", "01"),
            ("second", "o[2].pid", "0"),
            ("anon", "o->anon", "0"),
            ("u2", "o->u2", "0"),
            ("flag", "o->flag", "01345"),
            ("sflag", "o->sflag", "01345"),
            ("wide", "o->wide", "01345"),
            ("gone", "o->gone", "02"),
            ("oldname", "old->oldname", "02"),
            ("renamed", "v2->renamed", "02"),
            ("kindsx", "k->x", "2"),
            ("q", "t->q", "0"),
            ("ub", "u->b", "02"),
            ("missing", "m->x", "02"),
            ("flex", "o->flex[7]", "0"),
            ("next", "o->next", "0"),
        )
        for kind in kinds
    )
    + r"""
READ(r_pid, int, o->pid)
READ(r_b, u64, o->in.b)
READ(r_small, u32, o->small)
READ(r_grown, u32, o->grown)
READ(r_sgrown, int, o->sgrown)
READ(r_gone, int, o->gone)
READ(r_renamed, u32, v2->renamed)
TYPE(t_outer_0, struct outer, 0)
TYPE(t_missing_0, struct missing, 0)
TYPE(t_outer_1, struct outer, 1)
TYPE(t_missing_1, struct missing, 1)
TYPE(t_yes_2, struct m_yes, 2)
TYPE(t_no_2, struct m_no, 2)
TYPE(t_td_0, td, 0)
ID(id_local, struct inner, 0)
ID(id_target, struct inner, 1)
ID(id_missing, struct missing, 1)
ENUM(e_a_0, enum e, EA, 0)
ENUM(e_a_1, enum e, EA, 1)
ENUM(e_gone_0, enum e, EGONE, 0)
ENUM(e_gone_1, enum e, EGONE, 1)
ENUM(e_big_1, enum e64, BIG, 1)
ENUM(e_small_1, enum e64, SMALL, 1)
"""
)

TARGET = r"""
typedef unsigned char u8; typedef unsigned int u32; typedef unsigned long long u64;
struct inner { u64 pad0; long b; char pad1[3]; int a; };
struct outer {
    u64 pad; struct { struct { struct inner in; }; int pid; }; short pad2; char comm[24];
    struct inner arr[8]; union { struct { u64 u2; int anon; }; };
    u32 p0 : 6; u32 flag : 4; u64 wide : 33; int sflag : 7;
    u8 small; u32 renamed; u64 grown; long sgrown; char *p; struct outer *next; u32 goner;
    u8 flex[];
};
struct kinds { struct inner x; };
typedef struct { long pad; int q; } td;
enum e { EB = 5, EA___v2 = 7 };
enum e64 { BIG = 0x200000003ULL, SMALL = -5 };
struct m_yes { u64 extra; struct inner *p; int a; };
struct m_no { int a; };
union un { u64 b; int a[4]; };
struct outer o; struct kinds k; td t; enum e e; enum e64 e64; struct m_yes y; struct m_no n;
union un u;
u64 facts(void) { return 0; }
"""


def compiled(source: str, path: Path, *options: str) -> Path:
    path.with_suffix(".c").write_text(source)
    command = [CLANG, "-target", "bpf", "-mcpu=v3", "-g", "-O2", "-c", *options]
    done = subprocess.run(
        [*command, path.with_suffix(".c"), "-o", path.with_suffix(".o")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return path.with_suffix(".o")


class Program:
    """The compiled program: its relocations and instructions by function name."""

    def __init__(self, path: Path):
        self.btf = Btf.load(path)
        data = path.read_bytes()
        ext = BtfExt.parse(section(data, ".BTF.ext", "program"), self.btf)
        self.insns = decode(section(data, ".text", "program"))
        starts = [(info.offset, self.btf.type(info.type).name) for info in ext.funcs[".text"]]
        self.relos = {}
        self.slots = {}
        for relo in ext.relos[".text"]:
            name = max(entry for entry in starts if entry[0] <= relo.offset)[1]
            self.relos[name] = relo
            self.slots[name] = relo.offset // 8


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> tuple[Program, Btf, Relocator]:
    folder = tmp_path_factory.mktemp("core")
    program = Program(compiled(PROGRAM, folder / "program"))
    target = Btf.load(compiled(TARGET, folder / "target"))
    return program, target, Relocator(program.btf, target)


def resolved(world, name: str) -> Resolution:
    program, _, relocator = world
    return relocator.resolve(program.relos[name])


# The target's own offsets, from the source above: outer.in 8, pid 40, comm 46, comm 50, ...
EXPECTED = {
    **{"i_pid_0": 32, "i_pid_1": 4, "i_pid_2": 1, "i_pid_3": 1},
    **{"i_comm_0": 42, "i_comm_1": 24, "i_comm_2": 1, "i_comm3_0": 45},
    **{"i_in_b_0": 16, "i_in_b_1": 8, "i_in_b_2": 1, "i_in_b_3": 1, "i_in_b_4": 0, "i_in_b_5": 0},
    **{"i_gone_2": 0, "i_oldname_2": 0, "i_renamed_2": 1, "i_kindsx_2": 0, "i_missing_2": 0},
    **{"i_q_0": 8, "i_ub_0": 0, "i_ub_2": 1, "i_flag_3": 0, "i_sflag_3": 1},
    **{"i_flag_5": 60, "i_sflag_5": 57, "i_wide_5": 31},
    **{"t_outer_0": 1, "t_missing_0": 0, "t_missing_1": 0, "t_yes_2": 1, "t_no_2": 0, "t_td_0": 1},
    **{"e_a_0": 1, "e_a_1": 7, "e_gone_0": 0, "e_big_1": 0x200000003, "e_small_1": -5},
    **{"id_missing": 0},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_values_are_those_of_the_target(world, name):
    found = resolved(world, name)
    assert not found.poison
    assert found.new == EXPECTED[name], found


def member(btf: Btf, struct: str, *names: str) -> int:
    """A field's bit offset by its names, walked here."""
    at, offset = btf.find(struct), 0
    for name in names:
        if name.isdigit():
            at = btf.resolve(at.type)
            offset += int(name) * btf.sizeof(at.id) * 8
            continue
        todo = [(member, 0) for member in at.members]
        while True:
            found, base = todo.pop(0)
            if found.name == name:
                break
            if not found.name:
                inner = btf.resolve(found.type).members
                todo += [(one, base + found.offset) for one in inner]
        offset += base + found.offset
        at = btf.resolve(found.type)
    return offset


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("i_arr2b_0", "arr 2 b"),
        ("i_anon_0", "anon"),
        ("i_u2_0", "u2"),
        ("i_flex_0", "flex 7"),
        ("i_next_0", "next"),
        ("i_renamed_0", "renamed"),
        ("r_pid", "pid"),
        ("r_b", "in b"),
        ("r_small", "small"),
        ("r_grown", "grown"),
        ("r_renamed", "renamed"),
    ],
)
def test_offsets_are_those_of_the_target(world, name, path):
    found = resolved(world, name)
    assert found.new * 8 == member(world[1], "outer", *path.split())


def test_elements_of_the_root_count_in_its_size(world):
    target = world[1]
    assert resolved(world, "i_second_0").new == 2 * target.find("outer").size + 32
    assert resolved(world, "t_outer_1").new == target.find("outer").size


@pytest.mark.parametrize("name", ["flag", "sflag", "wide"])
def test_bitfields_are_cut_out_of_the_word_that_is_loaded(world, name):
    """Do to a value what bpf_core_read's macros do: load, shift left, shift right."""
    target = world[1]
    offset, _ = target.bitfield(next(m for m in target.find("outer").members if m.name == name))
    bits = next(m for m in target.find("outer").members if m.name == name).bits
    at, size, left, right = (resolved(world, f"i_{name}_{kind}").new for kind in (0, 1, 4, 5))
    assert at % size == 0
    assert at * 8 <= offset
    assert offset + bits <= (at + size) * 8
    memory = ((1 << bits) - 1) << offset
    word = memory >> at * 8 & (1 << size * 8) - 1
    assert (word << left & (1 << 64) - 1) >> right == (1 << bits) - 1


def test_type_ids(world):
    program, target, _ = world
    assert resolved(world, "id_local").new == program.btf.find("inner").id
    assert resolved(world, "id_target").new == target.find("inner").id
    assert not resolved(world, "id_local").check


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("i_gone_0", "struct outer has no member 'gone'; did you mean goner"),
        ("i_oldname_0", "struct outer has no member 'oldname'"),
        ("i_missing_0", "no struct 'missing'"),
        ("e_gone_1", "no enumerator 'EGONE'"),
    ],
)
def test_what_is_not_there_poisons_and_says_what_is(world, name, why):
    found = resolved(world, name)
    assert found.poison
    assert found.target is None
    assert why in found.why


def test_every_kind_is_covered(world):
    assert {relo.kind for relo in world[0].relos.values()} == set(CoreKind)


def patched(world, name: str) -> list[Insn]:
    program = world[0]
    insns = list(program.insns)
    patch(insns, program.slots[name], resolved(world, name), 5)
    changed = [slot for slot, insn in enumerate(insns) if insn != program.insns[slot]]
    assert set(changed) <= {program.slots[name], program.slots[name] + 1}
    return insns[program.slots[name] : program.slots[name] + 2]


def test_immediates_and_offsets_are_patched(world):
    assert patched(world, "i_pid_0")[0].imm == 32
    assert patched(world, "r_pid")[0].off == 32
    low, high = patched(world, "e_big_1")
    assert (low.imm, high.imm) == (3, 2)
    low, high = patched(world, "e_small_1")
    assert (low.imm, high.imm) == (-5, -1)


def test_loads_of_unsigned_fields_change_their_size(world):
    before = world[0].insns[world[0].slots["r_small"]]
    assert before.op == 0x61  # *(u32 *)
    assert patched(world, "r_small")[0].op == 0x71  # *(u8 *)
    assert patched(world, "r_grown")[0].op == 0x79  # *(u64 *)
    with pytest.raises(BtfError, match="only pointers and unsigned integers may differ in size"):
        patched(world, "r_sgrown")


def test_poisoned_instructions_call_a_helper_that_is_not(world):
    assert patched(world, "r_gone")[0] == Insn(0x85, imm=POISON + 5)
    assert patched(world, "e_gone_1") == [Insn(0x85, imm=POISON + 5)] * 2


def test_instructions_that_cannot_be_meant_are_refused(world):
    found = resolved(world, "i_pid_0")
    for insns, why in (
        ([], "there is no instruction 0"),
        ([Insn(0x95)], "cannot be relocated"),
        ([Insn(0xBF, 1, 2)], "cannot be relocated"),
        ([Insn(0xB7, 1, imm=77)], "says 77, but 0 was expected"),
        ([Insn(0x18, 1)], "cannot be relocated"),
        ([Insn(0x18, 1, 1), Insn(0)], "cannot be relocated"),
    ):
        with pytest.raises(BtfError, match=why):
            patch(insns, 0, found)


def test_damaged_relocations_are_refused(world):
    program, _, relocator = world
    good = program.relos["i_pid_0"]
    for change, why in (
        ({"access": "0:99"}, "has nothing under 99"),
        ({"access": "0:0:1"}, "has nothing under 1"),
        ({"access": "x"}, "no list of numbers"),
        ({"access": ""}, "no list of numbers"),
        ({"access": "0:-1"}, "negative"),
        ({"access": ":".join("0" * 65)}, "too long"),
        ({"type": 9999}, "no type 9999"),
        ({"kind": CoreKind.TYPE_SIZE, "access": "1"}, "access string is '0'"),
        ({"kind": CoreKind.ENUMVAL_VALUE}, "no such enumerator"),
    ):
        with pytest.raises(BtfError, match=why):
            relocator.resolve(good._replace(**change))


def test_candidates_that_disagree_are_refused(world, tmp_path):
    two = r"""struct outer { int pid; }; struct outer a;
              struct outer___x { long pad; int pid; }; struct outer___x b;"""
    target = Btf.load(compiled(two, tmp_path / "two"))
    program = world[0]
    with pytest.raises(BtfError, match=r"struct outer.pid is ambiguous: .*: 0x0; type .*: 0x8"):
        Relocator(program.btf, target).resolve(program.relos["i_pid_0"])


def test_a_type_is_sought_in_modules_only_if_the_kernel_has_none(world, tmp_path):
    program, target, _ = world
    asked = []

    def modules():
        asked.append(1)
        return [Btf.load(compiled("struct missing { long pad; int x; } m;", tmp_path / "module"))]

    relocator = Relocator(program.btf, target, modules)
    relocator.resolve(program.relos["i_pid_0"])
    assert not asked
    assert relocator.resolve(program.relos["i_missing_0"]).new == 8
    relocator.resolve(program.relos["t_missing_0"])
    assert len(asked) == 1


WORDS = r"""
struct words {
    void *p; unsigned long u; long s; int after;
} __attribute__((preserve_access_index));
#define w ((struct words *)p)
void *r_pointer(void *p) { return w->p; }
unsigned long r_unsigned(void *p) { return w->u; }
long r_signed(void *p) { return w->s; }
int r_after(void *p) { return w->after; }
int size_pointer(void *p) { return __builtin_preserve_field_info(w->p, 1); }
int size_whole(void) { return __builtin_preserve_type_info(*(struct words *)0, 1); }
"""


@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_a_target_may_have_smaller_pointers(tmp_path, byteorder):
    """As of a 32-bit kernel: `long` takes four bytes there."""
    target = BtfBuilder(byteorder=byteorder)
    for made in (
        Int("long int", 4, SIGNED, 32),
        Int("long unsigned int", 4, 0, 32),
        Int("int", 4, SIGNED, 32),
        Ptr(0),
    ):
        target.add(made)
    members = (("p", 4), ("u", 2), ("s", 1), ("after", 3))
    fields = tuple(Member(name, kind, 32 * at) for at, (name, kind) in enumerate(members))
    target.add(Struct("words", 16, fields))
    program = Program(compiled(WORDS, tmp_path / "words"))
    world = program, target.build(), Relocator(program.btf, target.build())
    for name, offset in (("r_pointer", 0), ("r_unsigned", 4), ("r_after", 12)):
        insn = patched(world, name)[0]
        assert (insn.op, insn.off) == (0x61, offset)  # *(u32 *)
    with pytest.raises(BtfError, match="only pointers and unsigned integers may differ in size"):
        patched(world, "r_signed")
    assert resolved(world, "size_pointer").new == 4
    assert resolved(world, "size_whole").new == 16


def test_bitfields_of_a_target_of_the_other_byte_order(world):
    """The shifts cut out the same bits, counted from the other end of the word."""
    program = world[0]
    target = BtfBuilder(byteorder="big")
    target.add(Int("unsigned int", 4, 0, 32))
    target.add(Struct("outer", 4, (Member("pad", 1, 0, 6), Member("flag", 1, 6, 4))))
    relocator = Relocator(program.btf, target.build())
    left, right = (relocator.resolve(program.relos[f"i_flag_{kind}"]).new for kind in (4, 5))
    assert (left, right) == (64 - 32 + 6, 60)
