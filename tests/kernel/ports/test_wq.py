"""Follows the selftest wq: work that maps of every kind put off, and that may sleep."""

import pytest

from ebee import (  # isort: skip
    TC, AnyMap, Array, Global, Hash, LruHash, SkbContext, WorkQueue, func, i32, ptr, struct,
    syscall, tc, u8, u32, u64, zero,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "6.10"
FOLLOWS = {"prog_tests/wq.c": 28, "progs/wq.c": 139}


@struct
class Entry:
    key: u32
    work: WorkQueue


@struct
class Given:
    unused: u64


listed = Array[Entry](max_entries=2)
hashed = Hash[u32, Entry](max_entries=1000)
allocated = Hash[u32, Entry](max_entries=1000, flags=1)  # BPF_F_NO_PREALLOC
recent = LruHash[u32, Entry](max_entries=4)
done: Global[u32] = 0


@func
def finish(m: ptr[u8], key: ptr[u32], work: ptr[u8]) -> i32:
    global done
    done |= 1 << (key[0] & 31)
    return 0


@func
def put_off(m: AnyMap[u32, Entry], key: u32) -> i32:
    entry = m.lookup(key)
    if entry is None:
        return -2
    entry.key = key
    if entry.work.init(m) != 0:
        return -3
    if entry.work.callback(finish) != 0:
        return -4
    return -5 if entry.work.start() != 0 else 0


@tc
def array(ctx: SkbContext) -> TC:
    return put_off(listed, 0)


@syscall
def array_where_it_may_sleep(given: Given) -> int:
    return put_off(listed, 1)


@tc
def hash_(ctx: SkbContext) -> TC:
    hashed[2] = zero(Entry)
    return put_off(hashed, 2)


@tc
def hash_without_memory_of_its_own(ctx: SkbContext) -> TC:
    allocated[3] = zero(Entry)
    return put_off(allocated, 3)


@tc
def least_recently_used(ctx: SkbContext) -> TC:
    recent[4] = zero(Entry)
    return put_off(recent, 4)


def test_work_is_done_soon(port, soon):
    loaded = port()
    for name, program in loaded.programs.items():
        given = {"ctx": bytes(8)} if program.spec.hook == "syscall" else {"data": bytes(64)}
        assert program.test_run(**given).retval == 0, name
    assert soon(lambda: loaded.variables["done"].value == 0b11111)
