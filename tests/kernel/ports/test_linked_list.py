"""Follows the selftest linked_list: objects of a program's own in lists, and lists in those."""

from typing import Literal

import pytest

from ebee import (  # isort: skip
    TC, Array, ArrayOfMaps, ListHead, ListNode, SkbContext, SpinLock, drop, func, i64, new, ptr,
    struct, tc, u64,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "6.4"
FOLLOWS = {
    "prog_tests/linked_list.c: test_linked_list_success": 80,
    "progs/linked_list.c": 354,
    "progs/linked_list.h": 45,
}
MANY, FEW = 200, 8


@struct
class Small:
    node: ListNode
    number: u64


@struct
class Large:
    number: u64
    node: ListNode
    lock: SpinLock
    inside: ListHead[Small, Literal["node"]]


@struct
class Row:
    lock: SpinLock
    items: ListHead[Large, Literal["node"]]


rows = Array[Row](max_entries=1)
tables = ArrayOfMaps(max_entries=1, inner=rows)


@func
def one(row: ptr[Row], leave: bool) -> i64:
    """Nothing is in it at first; what goes in at one end comes out of the other."""
    with new(Large) as item:
        if item is None:
            return 1
        with row.lock:
            before = row.items.pop()
        if before is not None:
            drop(before)
            return 2
        item.number = 42
        with row.lock:
            row.items.push_front(item)
    if leave:
        return 0
    with row.lock:
        found = row.items.pop_back()
    if found is None:
        return 3
    number = found.number
    drop(found)
    if number != 42:
        return 4
    with row.lock:
        found = row.items.pop_back()
    if found is not None:
        drop(found)
        return 5
    return 0


@func
def many(row: ptr[Row], leave: bool) -> i64:
    """The last in front comes out first, and goes in at the end again."""
    for i in range(0, MANY, 2):
        with new(Large) as item, new(Large) as next_item:
            if item is None or next_item is None:
                return 1
            item.number, next_item.number = i, i + 1
            with row.lock:
                row.items.push_front(item)
                row.items.push_front(next_item)
    for i in range(MANY):
        with row.lock:
            found = row.items.pop()
        if found is None:
            return 2
        if found.number != MANY - 1 - i:
            drop(found)
            return 3
        with row.lock:
            row.items.push(found)
    if leave:
        return 0
    for i in range(MANY):
        with row.lock:
            found = row.items.pop_back()
        if found is None:
            return 4
        number = found.number
        drop(found)
        if number != i:
            return 5
    return 0


@func
def nested(row: ptr[Row], leave: bool) -> i64:
    """A list in an element of a list."""
    with new(Large) as item:
        if item is None:
            return 1
        for i in range(FEW):
            with new(Small) as small:
                if small is None:
                    return 2
                small.number = i
                with item.lock:
                    item.inside.push(small)
        with row.lock:
            row.items.push_front(item)
    if leave:
        return 0
    with row.lock:
        found = row.items.pop()
    if found is None:
        return 3
    for i in range(FEW):
        with found.lock:
            small = found.inside.pop()
        if small is None:
            drop(found)
            return 4
        number = small.number
        drop(small)
        if number != i:
            drop(found)
            return 5
    drop(found)
    return 0


@tc
def one_in_a_map(ctx: SkbContext) -> TC:
    row = rows.lookup(0)
    if row is None:
        return 9
    return one(row, False) or one(row, True)


@tc
def many_in_a_map(ctx: SkbContext) -> TC:
    row = rows.lookup(0)
    if row is None:
        return 9
    return many(row, False) or many(row, True)


@tc
def nested_in_a_map(ctx: SkbContext) -> TC:
    row = rows.lookup(0)
    if row is None:
        return 9
    return nested(row, False) or nested(row, True)


@tc
def one_in_an_inner_map(ctx: SkbContext) -> TC:
    table = tables.lookup(0)
    if table is None:
        return 8
    row = table.lookup(0)
    if row is None:
        return 9
    return one(row, False) or one(row, True)


@tc
def many_in_an_inner_map(ctx: SkbContext) -> TC:
    table = tables.lookup(0)
    if table is None:
        return 8
    row = table.lookup(0)
    if row is None:
        return 9
    return many(row, False) or many(row, True)


@pytest.mark.parametrize("what", ["one", "many", "nested"])
def test_lists(port, what):
    """What is left in the list goes with the map."""
    loaded = port(f"{what}_in_a_map")
    assert loaded.programs[f"{what}_in_a_map"].test_run(bytes(64)).retval == 0


@pytest.mark.parametrize("what", ["one", "many"])
def test_lists_of_inner_maps(port, what):
    loaded = port(f"{what}_in_an_inner_map")
    loaded.maps["tables"][0] = loaded.maps["rows"]
    assert loaded.programs[f"{what}_in_an_inner_map"].test_run(bytes(64)).retval == 0
