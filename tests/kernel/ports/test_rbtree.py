"""Follows the selftest rbtree: objects of a program's own in sorted trees."""

from typing import Literal

import pytest

from ebee import (  # isort: skip
    TC, Array, Global, RbNode, RbRoot, SkbContext, SpinLock, drop, func, i64, new, ptr,
    struct, tc,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "6.6"
FOLLOWS = {"prog_tests/rbtree.c": 155, "progs/rbtree.c": 251}


@struct
class Item:
    node: RbNode
    key: i64
    data: i64


@struct
class Tree:
    lock: SpinLock
    root: RbRoot[Item, Literal["node"]]


trees = Array[Tree](max_entries=1)
compared: Global[i64] = -1
removed: Global[i64] = -1
first: Global[i64] = -1
second: Global[i64] = -1


@func
def less(one: ptr[Item], other: ptr[Item]) -> bool:
    global compared
    compared = 1
    return one.key < other.key


@func
def insert(tree: ptr[Tree], key: i64) -> i64:
    """A new item; its data is twice its key."""
    with new(Item) as item:
        if item is None:
            return 1
        item.key = key
        item.data = key * 2
        with tree.lock:
            tree.root.add(item, less)
    return 0


@tc
def nodes_are_added(ctx: SkbContext) -> TC:
    tree = trees.lookup(0)
    if tree is None:
        return 1
    return insert(tree, 5) or insert(tree, 1) or insert(tree, 3)


@tc
def one_is_removed(ctx: SkbContext) -> TC:
    global removed
    tree = trees.lookup(0)
    if tree is None:
        return 1
    with new(Item) as item, new(Item) as other:
        if item is None or other is None:
            return 2
        item.key, other.key = 5, 3
        with tree.lock:
            tree.root.add(item, less)
            tree.root.add(other, less)
            gone = tree.root.remove(item)
    if gone is None:
        return 3
    removed = gone.key
    drop(gone)
    return 0


@tc
def the_first_is_removed(ctx: SkbContext) -> TC:
    global removed, first, second
    tree = trees.lookup(0)
    if tree is None or insert(tree, 3) or insert(tree, 5) or insert(tree, 1):
        return 1
    with tree.lock:
        least = tree.root.first()
        if least is None:
            return 2
        first = least.data
        gone = tree.root.remove(least)
    if gone is None:
        return 3
    removed = gone.key
    drop(gone)
    with tree.lock:
        least = tree.root.first()
        if least is None:
            return 4
        second = least.data
    return 0


@tc
def what_was_removed_is_not_there(ctx: SkbContext) -> TC:
    """Two names of one item: the second removal finds nothing."""
    global first, second
    tree = trees.lookup(0)
    if tree is None or insert(tree, 41):
        return 1
    with tree.lock:
        one, same = tree.root.first(), tree.root.first()
        if one is None or same is None:
            return 2
        gone = tree.root.remove(one)
        again = tree.root.remove(same)
    if gone is not None:
        first = gone.data
        drop(gone)
    if again is not None:
        second = again.data
        drop(again)
    return 0


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("nodes_are_added", (1, -1, -1, -1)),
        ("one_is_removed", (1, 5, -1, -1)),
        ("the_first_is_removed", (1, 1, 2, 6)),
        ("what_was_removed_is_not_there", (-1, -1, 82, -1)),
    ],
)
def test_trees(port, program, expected):
    loaded = port()
    assert loaded.programs[program].test_run(bytes(64)).retval == 0
    names = ("compared", "removed", "first", "second")
    assert tuple(loaded.variables[n].value for n in names) == expected
