# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of hash maps of maps: values are the addresses of maps; restricted Python."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.maps import hash_ops, layout
from ebee.maps.hash_ops import Hash, delete, init, length, next_key, update
from ebee.native import cast, native
from ebee.types import i64, null, ptr, u8, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

State = Hash
HELD = 8
"""Bytes of a value inside: an address. User space's are 4, a descriptor or an id."""


def check(spec: "MapSpec", cpus: int) -> None:
    """fd_htab_map_alloc_check."""
    layout.require(spec, spec.value_size == 4, f"value_size is {spec.value_size}, it must be 4")
    hash_ops.check(spec, cpus)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """Areas of a hash map of addresses, which programs must not change."""
    made = hash_ops.plan(replace(spec, value_size=HELD), cpus)
    return replace(made.hidden(), value_size=HELD)


@native
def lookup(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8]) -> ptr[u8]:
    """The inner map; null when there is none."""
    value = hash_ops.lookup(cpu, m, key)
    if not value:
        return null
    return cast(ptr[ptr[u8]], value)[0]


@native
def held(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8]) -> u64:
    """The address of the inner map, 0 when there is none (user space)."""
    return u64(lookup(cpu, m, key))


@native
def may_set(m: ptr[Hash], key: ptr[u8], flags: u64) -> i64:
    """Nothing is refused before the map to be put in is looked at."""
    return 0


__all__ = [
    "State",
    "check",
    "delete",
    "held",
    "init",
    "length",
    "lookup",
    "may_set",
    "next_key",
    "plan",
    "update",
]
