"""CO-RE relocations: what an instruction takes from the types of the kernel that it runs on.

In a module of its own, without annotations as text (which are compiled when a NamedTuple is made),
for the specs of all objects have them.
"""

from enum import IntEnum
from typing import NamedTuple


class CoreKind(IntEnum):
    """enum bpf_core_relo_kind."""

    FIELD_BYTE_OFFSET = 0
    FIELD_BYTE_SIZE = 1
    FIELD_EXISTS = 2
    FIELD_SIGNED = 3
    FIELD_LSHIFT_U64 = 4
    FIELD_RSHIFT_U64 = 5
    TYPE_ID_LOCAL = 6
    TYPE_ID_TARGET = 7
    TYPE_EXISTS = 8
    TYPE_SIZE = 9
    ENUMVAL_EXISTS = 10
    ENUMVAL_VALUE = 11
    TYPE_MATCHES = 12


class CoreRelo(NamedTuple):
    """The instruction at `offset` takes its operand from what `access` (as "0:1:2") says about
    `type`."""

    offset: int
    type: int
    access: str
    kind: CoreKind
