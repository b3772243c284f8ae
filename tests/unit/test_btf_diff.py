"""Two versions of types are compared by name, member by member, and by what they mean."""

import pytest

from ebee.btf import (
    SIGNED,
    Btf,
    BtfBuilder,
    Enum,
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
)
from ebee.btf.diff import Change, Detail, diff
from ebee.errors import BtfError

pytestmark = pytest.mark.unit


def types(*more, first: int = 4) -> Btf:
    """int (1), u64 (2), an anonymous pair (3), and more from `first` on."""
    builder = BtfBuilder()
    builder.add(Int("int", 4, SIGNED))
    builder.add(Int("u64", 8))
    builder.add(Struct("", 16, (Member("x", 2, 0), Member("y", 2, 64))))
    for made in more:
        builder.add(made)
    return builder.build()


def struct(name: str, size: int, *members: tuple) -> Struct:
    """(name, type, byte offset[, bits[, bit]]) each."""
    return Struct(
        name,
        size,
        tuple(Member(n, t, 8 * at + (r[1] if r[1:] else 0), *r[:1]) for n, t, at, *r in members),
    )


def details(old, new) -> tuple[Detail, ...]:
    (change,) = diff(types(old), types(new))
    assert (change.what, change.kind, change.name) == ("changed", "struct", "s")
    return change.details


def test_what_is_the_same_is_not_told():
    assert not list(diff(types(struct("s", 4, ("a", 1, 0))), types(struct("s", 4, ("a", 1, 0)))))


def test_ids_and_order_do_not_matter():
    one = types(struct("s", 8, ("p", 5, 0)), Ptr(4), struct("t", 4, ("a", 1, 0)))
    other = types(struct("t", 4, ("a", 1, 0)), Ptr(6), struct("s", 8, ("p", 5, 0)))
    assert not list(diff(one, other))


def test_added_and_removed_types():
    one, other = types(struct("s", 4, ("a", 1, 0))), types(Typedef("t", 1))
    assert list(diff(one, other)) == [
        Change("struct", "s", "removed", 4),
        Change("typedef", "t", "added"),
    ]


def test_members_come_and_go():
    old = struct("s", 8, ("a", 1, 0), ("b", 1, 4))
    new = struct("s", 16, ("a", 1, 0), ("c", 2, 8))
    assert details(old, new) == (
        Detail("removed", "b", old="int", offset="4"),
        Detail("added", "c", new="u64", offset="8"),
    )


def test_members_that_move_together_are_told_together():
    old = struct("s", 16, ("a", 1, 0), ("b", 1, 4), ("c", 2, 8))
    new = struct("s", 24, ("new", 2, 0), ("a", 1, 8), ("b", 1, 12), ("c", 2, 16))
    assert details(old, new) == (
        Detail("added", "new", new="u64", offset="0"),
        Detail("moved", "a", "0", "8", "8", 3, "c"),
    )


def test_a_member_of_the_same_type_at_the_same_place_was_renamed():
    old = struct("s", 8, ("state", 2, 0))
    assert details(old, struct("s", 8, ("__state", 2, 0))) == (
        Detail("renamed", "__state", "state", "__state", "0"),
    )
    assert [d.how for d in details(old, struct("s", 8, ("__state", 1, 0)))] == ["removed", "added"]


def test_types_and_widths_of_members():
    old = struct("s", 8, ("a", 1, 0), ("f", 1, 4, 3))
    new = struct("s", 8, ("a", 2, 0), ("f", 1, 4, 5, 1))
    assert details(old, new) == (
        Detail("retyped", "a", "int", "u64", "0"),
        Detail("retyped", "f", "int : 3", "int : 5", "4:1"),
        Detail("moved", "f", "4:0", "4:1", "4:1"),
    )


def test_members_of_anonymous_structs_are_the_structs_own():
    inside = struct("s", 16, ("", 3, 0))
    assert not list(diff(types(inside), types(struct("s", 16, ("x", 2, 0), ("y", 2, 8)))))
    named = struct("s", 16, ("pair", 3, 0))
    assert [(d.how, d.name) for d in details(named, struct("s", 16, ("pair", 2, 0)))] == [
        ("removed", "pair.y"),
        ("renamed", "pair"),
    ]


def test_enumerators():
    old = Enum("e", 4, False, (Enumerator("A", 0), Enumerator("B", 1), Enumerator("MAX", 2)))
    new = Enum("e", 4, False, (Enumerator("A", 0), Enumerator("C", 2), Enumerator("MAX", 3)))
    (change,) = diff(types(old), types(new))
    assert change.details == (
        Detail("removed", "B", old="1"),
        Detail("value", "MAX", "2", "3"),
        Detail("added", "C", new="2"),
    )
    assert change.breaking


def test_only_additions_break_nothing():
    (change,) = diff(
        types(struct("s", 4, ("a", 1, 0))), types(struct("s", 8, ("a", 1, 0), ("b", 1, 4)))
    )
    assert not change.breaking


def test_functions_are_compared_without_the_names_of_parameters():
    def function(proto: FuncProto) -> Btf:
        return types(proto, Func("f", 4))

    plain = function(FuncProto(1, (Param("a", 2),)))
    assert not list(diff(plain, function(FuncProto(1, (Param("b", 2),)))))
    (change,) = diff(plain, function(FuncProto(1, (Param("a", 2), Param("", 0)))))
    assert change.details == (Detail("retyped", "", "int (u64)", "int (u64, ...)"),)


def test_several_types_of_one_name_are_paired():
    one, two = struct("s", 4, ("a", 1, 0)), struct("s", 8, ("b", 2, 0))
    assert not list(diff(types(one, two), types(two, one)))
    assert not list(diff(types(one), types(one, two)))  # it is still there
    (change,) = diff(types(one, two), types(struct("s", 8, ("c", 1, 0)), two))
    assert (change.old_size, change.new_size) == (4, 8)


def test_a_mere_declaration_is_no_type_to_compare():
    assert not list(diff(types(Fwd("s")), types(Fwd("s"), Fwd("t"))))


def test_kinds_and_names_are_chosen():
    one, other = types(), types(struct("s", 4), struct("t", 4), Typedef("s", 1))
    chosen = diff(one, other, ["struct"], lambda name: name == "s")
    assert [change[:3] for change in chosen] == [("struct", "s", "added")]
    with pytest.raises(BtfError, match="there is no kind 'strut' to compare; there are: struct,"):
        list(diff(one, other, ["strut"]))
