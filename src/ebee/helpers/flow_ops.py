# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Bodies of the spin lock helpers: restricted Python."""

from ebee.abi.cpu import Cpu
from ebee.maps.value_ops import lock, unlock
from ebee.native import native
from ebee.types import ptr, u32


@native
def spin_lock(cpu: ptr[Cpu], word: ptr[u32]) -> None:
    lock(word)


@native
def spin_unlock(cpu: ptr[Cpu], word: ptr[u32]) -> None:
    unlock(word)
