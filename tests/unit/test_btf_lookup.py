"""Paths of members, patterns, who has a member, who uses a type; types as text."""

import pytest

from ebee.btf import (
    SIGNED,
    Array,
    Btf,
    BtfBuilder,
    Const,
    Datasec,
    DeclTag,
    Enum64,
    Enumerator,
    Int,
    Member,
    Ptr,
    SecVar,
    Struct,
    Typedef,
    Union,
    Var,
)
from ebee.btf.dump import as_text
from ebee.btf.lookup import having_member, matching, place, users
from ebee.errors import BtfError

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def btf() -> Btf:
    builder = BtfBuilder()
    types = [
        Int("int", 4, SIGNED),  # 1
        Int("char", 1, SIGNED),
        Array(2, 1, 16),
        Struct("mm", 16, (Member("users", 1, 0), Member("pgd", 1, 64))),  # 4
        Ptr(4),
        Union("", 8, (Member("flags", 1, 0, 3), Member("mm", 5, 0))),
        Struct("task", 40, (Member("comm", 3, 0), Member("", 6, 128), Member("se", 4, 192))),  # 7
        Typedef("task_t", 7),
        Const(8),
        Ptr(9),
        Struct("rq", 16, (Member("curr", 10, 0), Member("idle", 10, 64))),  # 11
        Enum64("big", 8, False, (Enumerator("MAX", 2**64 - 1),)),
        Var("runqueues", 11),
        Datasec(".data", 16, (SecVar(13, 0, 16),)),
        DeclTag("tag", 7, 1),
    ]
    for made in types:
        builder.add(made)
    return builder.build()


@pytest.mark.parametrize(
    ("root", "path", "owner", "offset", "bits", "pointers"),
    [
        (7, "comm", 7, 0, 0, 0),
        (7, "comm[3]", 7, 3, 0, 0),
        (7, "flags", 7, 16, 3, 0),
        (7, "mm", 7, 16, 0, 0),
        (7, "mm->pgd", 4, 8, 0, 1),
        (8, "mm.pgd", 4, 8, 0, 1),
        (7, "se.pgd", 7, 32, 0, 0),
        (11, "curr->mm->users", 4, 0, 0, 2),
        (11, "curr[1].se.users", 7, 64, 0, 1),
        (7, "", 7, 0, 0, 0),
    ],
)
def test_paths_lead_to_places(btf, root, path, owner, offset, bits, pointers):
    found = place(btf, root, path)
    assert (found.owner.id, found.offset, found.bits) == (owner, 8 * offset, bits)
    assert found.dereferenced == pointers


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("com", "struct task has no member 'com'; did you mean comm?"),
        ("mm->pgdd", "struct mm has no member 'pgdd'; did you mean pgd?"),
        ("comm[16]", r"the array has 16 elements, no \[16\]"),
        ("se[1]", "struct mm has no elements"),
        ("comm.x", r"array \(anonymous\) has no member 'x'"),
        ("comm[x]", r"cannot read 'comm\[x\]' from '\[x\]' on"),
        ("comm!", "cannot read"),
    ],
)
def test_paths_that_lead_nowhere_are_refused(btf, path, why):
    with pytest.raises(BtfError, match=why):
        place(btf, 7, path)


def test_names_match_patterns(btf):
    assert list(matching(btf, "task*")) == [("task", 7), ("task_t", 8)]
    split = BtfBuilder(base=btf)
    split.add(Struct("task_two", 0, ()))
    assert [name for name, _ in matching(split.build(), "task*")] == ["task", "task_t", "task_two"]


def test_members_tell_their_structs(btf):
    assert [(s.name, m.name) for s, m in having_member(btf, "*s*")] == [
        ("mm", "users"),
        ("", "flags"),
        ("task", "se"),
    ]


def test_types_tell_their_users(btf):
    """Through pointers, modifiers and the anonymous union, up to what has a name."""
    assert [found.name for found in users(btf, {4})] == ["task"]
    assert [found.name for found in users(btf, {7})] == ["task_t", "tag"]
    assert [found.name for found in users(btf, {8})] == ["rq"]
    assert [found.name for found in users(btf, {1})] == ["mm", "task"]


def test_types_as_text(btf):
    assert as_text(btf.type(4)) == (
        "[4] STRUCT 'mm' size=16 vlen=2\n"
        "\t'users' type_id=1 bits_offset=0\n\t'pgd' type_id=1 bits_offset=64"
    )
    assert as_text(btf.type(5), lambda id: btf.type(id).name) == "[5] PTR '(anon)' type_id=4 (mm)"
    assert as_text(btf.type(12)).endswith("\t'MAX' val=18446744073709551615ULL")
    assert as_text(btf.type(14)) == (
        "[14] DATASEC '.data' size=16 vlen=1\n\ttype_id=13 offset=0 size=16"
    )
