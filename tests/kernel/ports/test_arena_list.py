"""Follows the selftest arena_list: a doubly linked list in memory that programs share with user
space, which walks it by its own pointers."""

import struct as bytes_

import pytest

from ebee import Arena, Global, func, ptr, struct, syscall, u64

pytestmark = pytest.mark.kernel
SINCE = "6.9"
FOLLOWS = {"prog_tests/arena_list.c": 60, "progs/arena_list.c": 73, "bpf_arena_list.h": 73}
PER_PAGE = 128  # elements that one allocation holds


@struct
class Element:
    next: u64
    before: u64  # where the address of this one is kept
    value: u64
    unused: u64


@struct
class Given:
    count: u64


heap = Arena[Element](pages=100)
head: Global[u64] = 0
total: Global[u64] = 0
elements: Global[u64] = 0
pages: Global[u64] = 0


@func
def push(element: ptr[Element], value: u64) -> None:
    """In front of the list."""
    global head
    element.value = value
    element.next = head
    element.before = 0
    first = heap.at(head)
    if first is not None:
        first.before = heap.address(element)
    head = heap.address(element)


@syscall
def add(given: Given) -> int:
    global total, elements, pages
    for i in range(min(given.count, u64(100_000))):
        if i % PER_PAGE == 0:
            page = heap.alloc()
            if page is None:
                return 1
            pages = heap.address(page)
        element = heap.at(pages + i % PER_PAGE * 32)
        if element is None:
            return 2
        push(element, u64(i))
        total += i
        elements += 1
    return 0


@syscall
def remove(given: Given) -> int:
    """Takes out the first one until there is none."""
    global head, total, elements
    total = 0
    for _ in range(100_000):
        element = heap.at(head)
        if element is None:
            break
        total += element.value
        elements -= 1
        head = element.next
        following = heap.at(head)
        if following is not None:
            following.before = 0
    return 0


def walked(loaded):
    """The values, as user space finds them; both ways."""
    memory = loaded.maps["heap"].memory()
    address, last, found = loaded.variables["head"].value, 0, []
    while address:
        at = address - memory.address
        following, before, value = bytes_.unpack("<QQQ", memory[at : at + 24])
        assert before == last
        found.append(value)
        last, address = address, following
    return found


@pytest.mark.parametrize("count", [1, 1000])
def test_lists(port, count):
    loaded = port()
    given = count.to_bytes(8, "little")
    values = loaded.variables
    assert loaded.programs["add"].test_run(ctx=given).retval == 0
    assert walked(loaded) == list(reversed(range(count)))
    assert (values["total"].value, values["elements"].value) == (sum(range(count)), count)
    assert loaded.programs["remove"].test_run(ctx=given).retval == 0
    assert walked(loaded) == []
    assert (values["total"].value, values["elements"].value) == (sum(range(count)), 0)
