"""What a register or a spilled stack slot holds, as one frozen record.

A `Reg` that stands in a state never changes: states share them. To change one, `copy()` it, change
the copy and put that into the state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core.tnum import U32, U64

if TYPE_CHECKING:
    from ebee.verifier.core.btftype import BtfType
    from ebee.verifier.core.program import MapInfo

S64_MIN, S64_MAX = -(1 << 63), (1 << 63) - 1
S32_MIN, S32_MAX = -(1 << 31), (1 << 31) - 1

# Base types (enum bpf_reg_type); flags are or'ed in.
(
    NOT_INIT, SCALAR, CTX, MAP, MAP_VALUE, MAP_KEY, STACK, META, PACKET, PACKET_END, FLOW_KEYS,
    SOCKET, SOCK_COMMON, TCP_SOCK, TP_BUFFER, XDP_SOCK, BTF, MEM, ARENA, BUF, FUNC, DYNPTR, ITER,
) = range(23)  # fmt: skip
BASE = 0xFF
(
    NULLABLE, RDONLY, RINGBUF, USER, PERCPU, UNTRUSTED, TRUSTED, RCU, ALLOC, NON_OWNING,
) = (1 << bit for bit in range(8, 18))  # fmt: skip
"""Flags (enum bpf_type_flag). ALLOC: made by the program (bpf_obj_new); NON_OWNING: it gave its
reference to a list or tree, and may use it until the lock is given back."""

NAMES = (
    "?", "scalar", "ctx", "map_ptr", "map_value", "map_key", "fp", "pkt_meta", "pkt", "pkt_end",
    "flow_keys", "sock", "sock_common", "tcp_sock", "tp_buffer", "xdp_sock", "ptr_", "mem",
    "arena", "buf", "func", "dynptr_ptr", "iter",
)  # fmt: skip

SOCKETS = (SOCKET, SOCK_COMMON, TCP_SOCK, XDP_SOCK)
ADD_CONST = 1 << 31
"""Flag of a scalar's id: the register is `off` more than the others of that id."""

_PREFIXES = (
    (RDONLY, "rdonly_"), (RINGBUF, "ringbuf_"), (USER, "user_"), (PERCPU, "percpu_"),
    (RCU, "rcu_"), (UNTRUSTED, "untrusted_"), (TRUSTED, "trusted_"),
)  # fmt: skip


def type_name(kind: int) -> str:
    """A register's type as the kernel calls it: "rdonly_mem", "map_value_or_null"."""
    prefix = "".join(name for flag, name in _PREFIXES if kind & flag)
    null = "" if not kind & NULLABLE else "or_null_" if kind & BASE == BTF else "_or_null"
    return f"{prefix}{NAMES[kind & BASE]}{null}"


class Reg:
    """One register.

    type        base type and flags
    off         constant offset of a pointer; of a linked scalar, its distance to the others
    v, m        tnum of the value (of a pointer: of the variable offset)
    umin...tmax the value's ranges: unsigned and signed 64 bits, unsigned (w) and signed (t) 32 bits
    id          what was copied from it and is equal; of packet pointers, the same base
    ref         id of the reference it holds; 0: none
    map, uid    its map, and which lookup in a map of maps gave that one
    btf         of a kernel pointer: the type that it points to
    range       bytes of a packet that are there; size of plain memory; of a dynptr: its kind; of
                an iterator: its state
    frame       of a stack pointer: depth of the frame; of a function's address: its number; of a
                dynptr: whether this is its first slot
    uid         of memory behind a dynptr: the dynptr's id; of an iterator: how often it went on
    """

    __slots__ = (
        "btf", "frame", "id", "m", "map", "off", "range", "ref", "smax", "smin", "tmax", "tmin",
        "type", "uid", "umax", "umin", "v", "wmax", "wmin",
    )  # fmt: skip

    def __init__(self, type: int):
        self.type = type
        self.off = self.v = self.m = self.umin = self.umax = self.smin = self.smax = 0
        self.wmin = self.wmax = self.tmin = self.tmax = 0
        self.id = self.ref = self.uid = self.range = self.frame = 0
        self.map: MapInfo | None = None
        self.btf: BtfType | None = None

    def copy(self) -> Reg:
        """A register to change."""
        r = _new(Reg)
        r.type, r.off, r.v, r.m = self.type, self.off, self.v, self.m
        r.umin, r.umax, r.smin, r.smax = self.umin, self.umax, self.smin, self.smax
        r.wmin, r.wmax, r.tmin, r.tmax = self.wmin, self.wmax, self.tmin, self.tmax
        r.id, r.ref, r.uid, r.range = self.id, self.ref, self.uid, self.range
        r.frame, r.btf, r.map = self.frame, self.btf, self.map
        return r

    def with_id(self, number: int) -> Reg:
        """The same under another id."""
        r = self.copy()
        r.id = number
        return r

    @property
    def is_null(self) -> bool:
        """A scalar that is zero."""
        return self.type == SCALAR and not self.v and not self.m

    @property
    def is_pointer(self) -> bool:
        return self.type != SCALAR

    @property
    def bits(self) -> int:
        """How many low bits the value fits in."""
        return self.umax.bit_length()


_new = Reg.__new__


def unbounded(r: Reg) -> None:
    """Forget all ranges; the tnum stays."""
    r.umin, r.umax, r.smin, r.smax = 0, U64, S64_MIN, S64_MAX
    r.wmin, r.wmax, r.tmin, r.tmax = 0, U32, S32_MIN, S32_MAX


def scalar() -> Reg:
    """A scalar of any value, to be changed."""
    r = Reg(SCALAR)
    r.m = U64
    unbounded(r)
    return r


def set_known(r: Reg, value: int) -> None:
    """All of the value is known (0 <= value < 2**64)."""
    r.v, r.m = value, 0
    r.umin = r.umax = value
    r.smin = r.smax = value - (1 << 64) if value >> 63 else value
    low = value & U32
    r.wmin = r.wmax = low
    r.tmin = r.tmax = low - (1 << 32) if low >> 31 else low


def known(value: int) -> Reg:
    """A scalar constant."""
    found = _constants.get(value)
    if found is None:
        if len(_constants) > 1 << 16:
            _constants.clear()
        found = _constants[value] = Reg(SCALAR)
        set_known(found, value)
    return found


_constants: dict[int, Reg] = {}
UNINIT = Reg(NOT_INIT)
UNKNOWN = scalar()
ZERO = known(0)


def pointer(kind: int) -> Reg:
    """A pointer to where things of its kind begin, to be changed."""
    return Reg(kind)
