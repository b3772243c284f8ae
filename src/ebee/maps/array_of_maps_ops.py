# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of arrays of maps: slots that hold the addresses of maps; restricted Python."""

from ebee.abi.cpu import Cpu
from ebee.maps.slot_ops import (
    State,
    check,
    delete,
    get,
    held,
    may_set,
    next_key,
    plan,
    update,
)
from ebee.native import cast, native
from ebee.types import null, ptr, u8, u32


@native
def lookup(cpu: ptr[Cpu], m: ptr[State], key: ptr[u8]) -> ptr[u8]:
    """The inner map; null when the slot is empty."""
    index = cast(ptr[u32], key)[0]
    if index >= m.head.max_entries:
        return null
    return cast(ptr[ptr[u8]], m.slots + index)[0]


__all__ = [
    "State",
    "check",
    "delete",
    "get",
    "held",
    "lookup",
    "may_set",
    "next_key",
    "plan",
    "update",
]
