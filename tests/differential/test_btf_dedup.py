"""Deduplication joins what is the same across units, and nothing else; libbpf's linker agrees."""

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from ebee.btf import (
    Btf,
    BtfBuilder,
    Composite,
    Enum,
    Enumerator,
    Fwd,
    Int,
    Member,
    Ptr,
    Struct,
    Typedef,
    Union,
    Var,
)
from ebee.btf.dedup import dedup
from ebee.errors import BtfError

CLANG = shutil.which("clang-19") or shutil.which("clang")
BPFTOOL = shutil.which("bpftool", path="/usr/sbin:/usr/bin:/sbin:/bin")
pytestmark = pytest.mark.differential

UNITS = (
    r"""
    typedef unsigned int u32;
    struct only_declared; union late;
    struct node { struct node *next; u32 value; struct other *other; const struct node *c; };
    struct other { struct node *nodes[4]; struct only_declared *p; union late *l; };
    struct differs { u32 a; }; struct points_to_differing { struct differs *d; };
    enum e { A, B = 7 }; typedef struct { int x; } anon_t; enum open;
    int (*fn)(struct node *, u32); struct other o; struct points_to_differing d; anon_t a;
    enum e e; enum open *eo; struct differs dv;
    static int helper(struct node *n) { return n->value; }
    int use_a(struct node *n) { return helper(n); }
    """,
    r"""
    typedef unsigned int u32;
    struct other; union late { int a; long b; };
    struct node { struct node *next; u32 value; struct other *other; const struct node *c; };
    struct differs { u32 a, b; }; struct points_to_differing { struct differs *d; };
    enum e { A, B = 7 }; typedef struct { int x; } anon_t; enum open { OPEN = 3 };
    struct node n; struct points_to_differing d2; anon_t a2; enum e e2; union late l; enum open op;
    struct differs dv2;
    int (*fn2)(struct node *, u32);
    int use_b(struct node *n) { return n->value; }
    """,
)


def joined(*units: Btf) -> tuple[Btf, list[list[int]]]:
    """All types of several BTFs one after the other, with the new ids of each."""
    builder = BtfBuilder()
    return_ids = [[builder.copy(unit, id) for id in range(len(unit))] for unit in units]
    return builder.build(), return_ids


@pytest.fixture(scope="module")
def objects(tmp_path_factory) -> list[Path]:
    if not CLANG:
        pytest.skip("needs clang with the bpf target")
    folder, made = tmp_path_factory.mktemp("dedup"), []
    for number, source in enumerate(UNITS):
        path = folder / f"unit{number}.c"
        path.write_text(source)
        made.append(path.with_suffix(".o"))
        subprocess.run(
            [CLANG, "-target", "bpf", "-g", "-O1", "-c", path, "-o", made[-1]], check=True
        )
    return made


def test_units_of_one_program_share_their_types(objects):
    units = [Btf.load(path) for path in objects]
    both, ids = joined(*units)
    small, new = dedup(both)
    node = [new[ids[unit][units[unit].find("node", Struct).id]] for unit in (0, 1)]
    assert node[0] == node[1]
    assert len(small.find_all("node")) == len(small.find_all("other")) == 1
    assert len(small.find_all("anon_t")) == len(small.find_all("u32")) == 1
    assert [type(found) for found in small.find_all("late")] == [Union]
    assert [type(found) for found in small.find_all("only_declared")] == [Fwd]
    assert len(small.find("open", Enum).values) == len(small.find_all("open")) == 1
    assert len(small.find_all("differs")) == len(small.find_all("points_to_differing")) == 2
    again, same = dedup(small)
    assert list(again) == list(small)
    assert same == list(range(len(small)))


def test_every_type_still_says_what_it_said(objects):
    both, _ = joined(*(Btf.load(path) for path in objects))
    small, new = dedup(both)
    for found in both:
        other = small.type(new[found.id])
        assert other.name == found.name
        if isinstance(found, Composite):
            assert [m[:1] + m[2:] for m in other.members] == [m[:1] + m[2:] for m in found.members]
            assert [m.type for m in other.members] == [new[m.type] for m in found.members]


@pytest.mark.skipif(not BPFTOOL, reason="needs bpftool")
def test_libbpfs_linker_keeps_as_many(objects, tmp_path):
    out = tmp_path / "linked.o"
    subprocess.run([BPFTOOL, "gen", "object", out, *objects], check=True)
    theirs = Btf.load(out)
    ours, _ = dedup(joined(*(Btf.load(path) for path in objects))[0])

    def counted(btf: Btf) -> Counter:
        return Counter((type(t).__name__, t.name) for t in btf if type(t).__name__ != "Datasec")

    # libbpf 1.1 leaves declarations beside their definitions where no struct refers to both.
    declared = {("Fwd", "late"): 1, ("Enum", "open"): 1}
    assert counted(theirs) - counted(ours) in (declared, {})
    assert not counted(ours) - counted(theirs)


def test_cycles_of_different_length_in_their_unrolling_are_one():
    """struct a { struct a *p; } twice, found equal although each refers to itself."""
    b = BtfBuilder()
    ids = []
    for _ in range(3):
        struct, pointer = b.reserve(), b.reserve()
        b.set(struct, Struct("a", 8, (Member("p", pointer, 0),)))
        b.set(pointer, Ptr(struct))
        ids.append(struct)
    small, new = dedup(b.build())
    assert len(small) == 3
    assert {new[id] for id in ids} == {1}


def test_a_difference_far_away_keeps_types_apart():
    b = BtfBuilder()
    ends = [b.add(Int("int", 4)), b.add(Int("int", 8))]
    tops = []
    for at in ends:
        for number in range(40):
            at = b.add(Ptr(at) if number % 2 else Typedef(f"t{number}", at))
        tops.append(at)
    small, new = dedup(b.build())
    assert len(small) == len(b)
    assert new[tops[0]] != new[tops[1]]


def test_variables_and_distinct_declarations_stay():
    b = BtfBuilder()
    number = b.add(Int("int", 4))
    variables = [b.add(Var("v", number)) for _ in range(2)]
    declared = [b.add(Fwd("x")), b.add(Fwd("x", True)), b.add(Fwd("x"))]
    enums = [b.add(Enum("e", 4, False, (Enumerator("A", value),))) for value in (1, 2)]
    _, new = dedup(b.build())
    assert new[variables[0]] != new[variables[1]]
    assert new[declared[0]] == new[declared[2]] != new[declared[1]]
    assert new[enums[0]] != new[enums[1]]


def test_split_btf_gives_way_to_its_base():
    b = BtfBuilder()
    number = b.add(Int("int", 4))
    shared = b.add(Struct("s", 4, (Member("a", number, 0),)))
    base = b.build()
    split = BtfBuilder(base)
    again = split.add(Int("int", 4))
    copy = split.add(Struct("s", 4, (Member("a", again, 0),)))
    own = split.add(Ptr(copy))
    small, new = dedup(split.build())
    assert (new[again], new[copy], new[own]) == (number, shared, len(base))
    assert list(small) == [Ptr(shared, len(base))]


def test_what_nobody_writes_is_refused_in_time(monkeypatch):
    monkeypatch.setattr("ebee.btf.dedup.WORK", 0)
    builder = BtfBuilder()
    builder.add(Int("int", 4))
    for number in range(1, 1000):
        builder.add(Ptr(number))
    with pytest.raises(BtfError, match="chains too long to compare"):
        dedup(builder.build())
    damaged = BtfBuilder()
    damaged.add(Int("int", 4))
    damaged.add(Ptr(1))
    data = bytearray(damaged.bytes())
    data[24 + 16 + 8] = 9  # what the pointer refers to
    with pytest.raises(BtfError, match="type 2 refers to missing type 9"):
        dedup(Btf.parse(bytes(data)))
