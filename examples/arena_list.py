"""A list in memory that programs and user space share: user space walks it through its own
pointers, without a system call.

    loaded.programs["put"].test_run(ctx=struct.pack("<Q", 5)), then read maps["heap"].memory()
    after put 5, 7, 30: the list is 30, 7, 5
"""

from ebee import Arena, Global, struct, syscall, u64


@struct
class Node:
    next: u64
    value: u64


@struct
class Given:
    value: u64


heap = Arena[Node](pages=100)
head: Global[u64] = 0


@syscall
def put(ctx: Given) -> int:
    global head
    node = heap.alloc()
    if node is None:
        return 1
    node.value = ctx.value
    node.next = head
    head = heap.address(node)
    return 0
