# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Copying values, which may hold a spin lock that no copy may overwrite: restricted Python."""

from ebee.abi.map import NO_LOCK, MapHeader
from ebee.native import (
    atomic_cas,
    atomic_load,
    atomic_store,
    byte_offset,
    cast,
    cpu_relax,
    memcpy,
    native,
)
from ebee.types import ptr, u8, u32

LOCK_SIZE = 4
"""sizeof(struct bpf_spin_lock)."""


@native
def lock(word: ptr[u32]) -> None:
    """Spin until the word, 0 when free, is ours."""
    while not atomic_cas(word, 0, 1):
        while atomic_load(word) != 0:
            cpu_relax()


@native
def unlock(word: ptr[u32]) -> None:
    atomic_store(word, 0)


@native
def copy_in(head: ptr[MapHeader], to: ptr[u8], value: ptr[u8]) -> None:
    """Copy a value over another, all but its lock (copy_map_value)."""
    if head.lock_at == NO_LOCK:
        memcpy(to, value, head.value_size)
        return
    memcpy(to, value, head.lock_at)
    behind = head.lock_at + LOCK_SIZE
    memcpy(byte_offset(to, behind), byte_offset(value, behind), head.value_size - behind)


@native
def copy_locked(head: ptr[MapHeader], to: ptr[u8], value: ptr[u8]) -> None:
    """copy_in while holding the lock of the value in the map (BPF_F_LOCK)."""
    word = cast(ptr[u32], byte_offset(to, head.lock_at))
    lock(word)
    copy_in(head, to, value)
    unlock(word)


@native
def copy_out_locked(head: ptr[MapHeader], to: ptr[u8], value: ptr[u8]) -> None:
    """The way out: the lock of the value in the map is held while `to` is written."""
    word = cast(ptr[u32], byte_offset(value, head.lock_at))
    lock(word)
    copy_in(head, to, value)
    unlock(word)
