"""Arguments of helpers, by the kinds of their declared parameters (check_func_arg)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.helpers import SCALARS, Helper, Param
from ebee.maps import FLAGS
from ebee.verifier.core import mem, precision, stack
from ebee.verifier.core import reg as R
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.program import MapInfo
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.scalar import s64
from ebee.verifier.core.state import SPILL, ZEROS, spilled_scalar

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

MAX_SIZE = 1 << 29
TRUSTED_BTF = "trusted_ptr_"
_MEMORY = (R.STACK, R.PACKET, R.META, R.MAP_KEY, R.MAP_VALUE, R.MEM, R.MEM | R.RINGBUF, R.BUF)
_TYPES: dict[str, tuple[int, ...]] = {
    "map": (R.MAP,), "ctx": (R.CTX,), "func": (R.FUNC,), "stack": (R.STACK,),
    "alloc_mem": (R.MEM | R.RINGBUF,), "size": (R.SCALAR,), "size0": (R.SCALAR,),
    "alloc_size": (R.SCALAR,), "str": (R.MAP_VALUE,), "socket": (R.SOCKET,),
    "sock_common": (R.SOCK_COMMON, R.SOCKET, R.TCP_SOCK, R.XDP_SOCK),
    "btf_sock": (R.SOCK_COMMON, R.SOCKET, R.TCP_SOCK, R.XDP_SOCK),
    **dict.fromkeys(
        ("mem", "mem_out", "mem_rw", "map_key", "map_value", "map_value_out", "out", "inout"),
        _MEMORY,
    ),
}  # fmt: skip
_MEM_KINDS = frozenset(("mem", "mem_out", "mem_rw", "map_key", "map_value", "map_value_out",
                        "out", "inout"))  # fmt: skip
_WRITTEN = frozenset(("mem_out", "mem_rw", "map_value_out", "out", "inout"))
_RAW = frozenset(("mem_out", "map_value_out", "out"))
_ANYTHING = frozenset((*SCALARS, "any", "scalar"))
_WIDTHS = {"u8": 1, "i8": 1, "char": 1, "u16": 2, "i16": 2, "be16": 2, "u32": 4, "i32": 4,
           "int": 4, "be32": 4, "wsum": 4, "u64": 8, "i64": 8, "long": 8, "ulong": 8}  # fmt: skip


class Call:
    """One call of a helper while its arguments are checked: what later ones and the result need."""

    __slots__ = ("func", "helper", "key", "map", "mem_size", "params", "raw", "ref", "release",
                 "result", "size_max", "uid")  # fmt: skip

    def __init__(self, helper: Helper, params: tuple[Param, ...], result: Param):
        self.helper, self.params, self.result = helper, params, result
        self.map: MapInfo | None = None
        self.uid = self.ref = self.release = self.mem_size = self.size_max = self.func = 0
        self.raw: tuple[int, int] | None = None  # register and size of memory that is only written
        self.key: int | None = None  # a constant key


def check(w: Walk, call: Call, index: int) -> None:
    """One argument; Rejected when the register does not fit the parameter."""
    param, regno = call.params[index], index + 1
    reg = w.read(regno)
    kind = param.kind
    if kind in _ANYTHING or kind == "variadic":
        if kind == "scalar" and reg.type != R.SCALAR:
            raise DoesNotKnow(f"a pointer as {param.name} of {call.helper.name}")
        return
    packet = reg.type in (R.PACKET, R.META)
    if packet and not (call.helper.takes_packet and mem.may_read_packet(w)):
        raise Rejected("packet-to-helper", "helper access to the packet is not allowed")
    if kind not in _TYPES:
        raise DoesNotKnow(f"arguments like {param.name} of {call.helper.name}")
    null = param.nullable and reg.is_null
    if null:
        w.precise(regno)
    else:
        _check_type(param, reg, regno)
        _check_offset(param, reg, regno)
    if param.owned:
        if not reg.ref and not reg.is_null:
            text = f"R{regno} must be referenced when passed to release function"
            raise Rejected("not-acquired", text, "", EINVAL)
        call.release = regno
    if reg.ref:
        call.ref = reg.ref
    _by_kind(w, call, index, reg, null)


def _check_type(param: Param, reg: Reg, regno: int) -> None:
    kind, types = reg.type, _TYPES[param.kind]
    if param.kind in _MEM_KINDS and param.kind not in _WRITTEN:
        kind &= ~R.RDONLY
    if param.nullable:
        kind &= ~R.NULLABLE
    if kind in types:
        return
    if kind & R.BASE == R.BTF and param.kind in (*_MEM_KINDS, "btf_sock"):
        raise DoesNotKnow("kernel pointers as arguments")
    names = [R.type_name(t) for t in types]
    names += [TRUSTED_BTF] * (param.kind in _MEM_KINDS)
    names += ["ptr_", TRUSTED_BTF] * (param.kind == "btf_sock")
    text = f"R{regno} type={R.type_name(reg.type)} expected={', '.join(names)}"
    raise Rejected("argument-type", text)


def _check_offset(param: Param, reg: Reg, regno: int) -> None:
    if param.owned and reg.off:
        text = f"R{regno} must have zero offset when passed to release func"
        raise Rejected("moved-pointer", f"{text} or trusted arg to kfunc", "", EINVAL)
    if reg.type in (R.CTX, R.MAP, *R.SOCKETS) or param.owned:
        mem.check_fixed(reg, regno)


def _by_kind(w: Walk, call: Call, index: int, reg: Reg, null: bool) -> None:
    param, regno = call.params[index], index + 1
    kind = param.kind
    if kind == "map":
        call.map, call.uid = reg.map, reg.uid
    elif kind == "map_key":
        assert call.map is not None
        call.key = _constant_key(w, call.map, reg)
        check_memory(w, call, reg, regno, call.map.key_size, False)
    elif kind in ("map_value", "map_value_out"):
        if null:
            return
        assert call.map is not None
        if call.map.type.name in ("sockmap", "sockhash"):
            raise DoesNotKnow("sockets as values of maps")
        raw = kind == "map_value_out"
        check_memory(w, call, reg, regno, call.map.value_size, raw, raw=raw)
    elif kind in ("size", "size0"):
        _check_size(w, call, index, reg)
    elif kind == "alloc_size":
        if reg.m:
            raise Rejected("not-constant", f"R{regno} is not a known constant'")
        call.mem_size = reg.v
        w.precise(regno)
    elif kind == "func":
        call.func = reg.sub
    elif kind == "str":
        _check_string(reg, regno)
    elif kind in _MEM_KINDS:
        size = int(param.of) if param.of and param.of.isdigit() else 0
        if kind in ("out", "inout"):
            size = _WIDTHS.get(param.type or "", 0)
            if not size:
                raise DoesNotKnow(f"the size of {param.name} of {call.helper.name}")
        if size:
            check_memory(w, call, reg, regno, size, kind in _WRITTEN, raw=kind in _RAW)
            if kind in ("out", "inout"):
                mem.check_alignment(w, reg, 0, size, once=True)


def _check_size(w: Walk, call: Call, index: int, reg: Reg) -> None:
    """The length of the memory that the argument before points to."""
    param, regno = call.params[index], index + 1
    zero = param.kind == "size0"
    call.size_max = reg.umax
    if reg.smin < 0:
        text = f"R{regno} min value is negative, either use unsigned or 'var &= const'"
        raise Rejected("negative-size", text)
    if reg.umin == 0 and not zero:
        text = f"R{regno} invalid zero-sized read: u64=[{reg.umin},{reg.umax}]"
        raise Rejected("zero-size", text)
    if reg.umax >= MAX_SIZE:
        text = "unbounded memory access, use 'var &= const' or 'if (var < const)'"
        raise Rejected("unbounded", f"R{regno} {text}")
    before = call.params[index - 1]
    raw = before.kind in _RAW and not reg.m
    pointer = w.regs[regno - 1]
    written = before.kind in _WRITTEN
    check_memory(w, call, pointer, regno - 1, reg.umax, written, zero=zero, raw=raw)
    w.precise(regno)


def check_memory(
    w: Walk,
    call: Call | None,
    reg: Reg,
    regno: int,
    size: int,
    write: bool,
    zero: bool = False,
    raw: bool = False,
) -> None:
    """`size` bytes at a pointer, for a helper (check_helper_mem_access)."""
    kind = reg.type & R.BASE
    if write and reg.type & R.RDONLY:
        raise Rejected("read-only", f"R{regno} cannot write into {R.type_name(reg.type)}")
    if kind in (R.PACKET, R.META):
        mem.check_packet(reg, regno, reg.off, size, zero)
    elif kind == R.MAP_KEY:
        if write:
            raise Rejected("read-only", f"R{regno} cannot write into {R.type_name(reg.type)}")
        assert reg.map is not None
        mem.check_region(reg, regno, reg.off, size, reg.map.key_size)
    elif kind == R.MAP_VALUE:
        mem.check_map_value(reg, regno, reg.off, size, write, zero, helper=True)
    elif kind == R.MEM:
        mem.check_region(reg, regno, reg.off, size, reg.range, zero)
    elif kind == R.STACK:
        if stack.check_helper(w, reg, regno, reg.off, size, zero, raw, write) and call is not None:
            call.raw = regno, size
    elif kind in (R.BUF, R.BTF):
        raise DoesNotKnow(f"memory behind pointers of type {R.NAMES[kind]}")
    elif not (zero and size == 0 and reg.is_null):
        text = f"R{regno} type={R.type_name(reg.type)} expected=fp"
        raise Rejected("argument-type", text)


def _check_string(reg: Reg, regno: int) -> None:
    """A constant text that ends in a NUL (check_reg_const_str)."""
    info = reg.map
    assert info is not None
    if info.data is None or not info.flags & FLAGS["rdonly_prog"]:
        raise Rejected("not-constant", f"R{regno} does not point to a readonly map'")
    if reg.m:
        raise Rejected("not-constant", f"R{regno} is not a constant address'")
    mem.check_map_value(reg, regno, reg.off, info.value_size - reg.off, False)
    if 0 not in info.data[reg.off + reg.v :]:
        raise Rejected("unterminated", "string is not zero-terminated", "", EINVAL)


def _constant_key(w: Walk, info: MapInfo, reg: Reg) -> int | None:
    """The key of an array, where the stack holds a constant (get_constant_map_key)."""
    if info.type.name not in ("array", "percpu_array") or reg.type != R.STACK or reg.m:
        return None
    if not w.profile.constant_keys:
        return None
    off = reg.off + s64(reg.v)
    frame = w.state.frames[reg.frame]
    if not -len(frame.slots) * 8 <= off < 0:
        return None
    spi, start = (-off - 1) // 8, off % 8
    slot = frame.slots[spi]
    seen = slot[0][start:]
    if len(seen) >= info.key_size and all(t == ZEROS for t in seen[: info.key_size]):
        return 0
    run = 0
    while run < len(seen) and seen[run] == SPILL:
        run += 1
    if not spilled_scalar(slot) or run != info.key_size or slot[1].m or start:
        return None
    precision.mark_slot(w, reg.frame, spi)
    return slot[1].v & 0xFFFF_FFFF
