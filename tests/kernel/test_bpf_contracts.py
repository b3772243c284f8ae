"""Separate functions with other arguments than numbers: what the verifier is told of them, in the
kernel and in ebee's own."""

import pytest

from ebee import linux
from ebee.errors import CompileError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.linux.errors import kernel_version
from ebee.verifier import check

pytestmark = pytest.mark.kernel

HEAD = """
from ebee import *
from ebee.kfuncs import bpf_dynptr_from_skb
from ebee.lang.bpf.contracts import arena_ptr
from ebee.vmlinux import task_struct

heap = Arena[u64](pages=4)

@struct
class Pair:
    a: u32
    b: u32

"""
MEMORY = """
@func(separate=True)
def total(p: ptr[Pair], q: Pair, letters: ptr[array[u8, 16]], at: u32) -> u32:
    p.b += 1
    return p.a + p.b + q.a + letters[0][at & 15]

@struct
class Given:
    pair: Pair
    letters: array[u8, 16]

@syscall
def prog(ctx: Given) -> int:
    p = Pair(a=ctx.pair.a, b=ctx.pair.b)
    letters = Given(letters=b"0123456789abcdef")
    return total(p, Pair(a=1000), letters.letters.ptr, 3) + p.b
"""
RECORD = """
@func(separate=True)
def note(ctx: Pair, n: u32) -> u32:
    ctx.b = n
    return ctx.a

@syscall
def prog(ctx: Pair) -> int:
    return note(ctx, 3)
"""
OBJECTS = """
@func(separate=True)
def pid(task: task_struct) -> i32:
    return task.pid

@func(separate=True)
def group(task: task_struct | None) -> i32:
    return task.tgid if task is not None else 7

@tp_btf("sched_process_exit")
def prog(task: task_struct) -> None:
    print(f"{pid(task)} {group(task)} {group(None)}")
"""
DYNPTR = """
@func(separate=True)
def starts(data: Dynptr, at: u32) -> i64:
    p = Pair()
    return bpf.dynptr_read(p, 8, data, at, 0) or i64(p.a)

@tc
def prog(ctx: SkbContext) -> TC:
    data = Dynptr()
    found = bpf_dynptr_from_skb(ctx, 0, data)
    return TC.SHOT if found == 0 and starts(data, 12) == 0x04030201 else TC.OK
"""
CONTEXT = """
@func(separate=True)
def mark(ctx: SkbContext, n: u32) -> u32:
    ctx.mark = n
    return ctx.len

@tc
def prog(ctx: SkbContext) -> TC:
    return TC.SHOT if mark(ctx, 3) == 64 and ctx.mark == 3 else TC.OK
"""
ARENA = """
@func(separate=True)
def add(p: arena_ptr[u64], n: u32) -> u32:
    p[0] += n
    return u32(p[0])

@syscall
def prog(ctx: Pair) -> int:
    p = heap.alloc()
    if p is None:
        return 1
    return add(p, 3) + add(p, ctx.a)
"""
CASES = {  # since; what the program is given, what it gives
    "memory": (MEMORY, (6, 8), (5).to_bytes(4, "little") + bytes(20), 1057 + 1),
    "record": (RECORD, (6, 8), bytes([9, 0, 0, 0, 0, 0, 0, 0]), 9),
    "objects": (OBJECTS, (6, 9), None, 0),
    "dynptr": (DYNPTR, (6, 8), bytes(12) + bytes([1, 2, 3, 4]) + bytes(48), 2),
    "context": (CONTEXT, (5, 6), bytes(64), 2),
    "arena": (ARENA, (6, 9), bytes([4, 0, 0, 0, 0, 0, 0, 0]), 10),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_separate_function_may_take(name):
    text, since, given, result = CASES[name]
    spec = build.compile(define(HEAD + text)["prog"])
    assert {f.linkage for f in spec.functions.values()} == {"global"}
    if kernel_version()[:2] < since:
        pytest.skip(f"since Linux {since[0]}.{since[1]}")
    with linux.load(spec) as loaded:
        if given is not None:
            how = {"ctx" if "@syscall" in text else "data": given}
            assert loaded.programs["prog"].test_run(**how).retval == result
    verdict = check(spec, "prog")
    assert verdict.outcome == "accepted", verdict.message


def test_addresses_of_unknown_worth_are_not_passed():
    text = OBJECTS.replace("pid(task)", "pid(cast(task_struct, u64(5)))")
    with pytest.raises(CompileError, match="an address that the kernel does not vouch for"):
        build.compile(define(HEAD + text)["prog"])
