"""Arguments of helpers, by the kinds of their declared parameters (check_func_arg)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.helpers import SCALARS, Helper, Param
from ebee.maps import FLAGS
from ebee.verifier.core import btfptr, btftype, ctx, dynptr, kptr, leaks, mem, precision, stack
from ebee.verifier.core import reg as R
from ebee.verifier.core.btftype import BtfType
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.program import MapInfo
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.scalar import s64
from ebee.verifier.core.special import Field
from ebee.verifier.core.state import SPILL, ZEROS, spilled_scalar

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

MAX_SIZE = 1 << 29
_MEMORY = (
    R.STACK, R.PACKET, R.META, R.MAP_KEY, R.MAP_VALUE, R.MEM, R.MEM | R.RINGBUF, R.BUF,
    R.BTF | R.TRUSTED,
)  # fmt: skip
_TYPES: dict[str, tuple[int, ...]] = {
    "map": (R.MAP,), "ctx": (R.CTX,), "func": (R.FUNC,), "stack": (R.STACK,),
    "alloc_mem": (R.MEM | R.RINGBUF,), "size": (R.SCALAR,), "size0": (R.SCALAR,),
    "alloc_size": (R.SCALAR,), "str": (R.MAP_VALUE,), "socket": (R.SOCKET,),
    "sock_common": (R.SOCK_COMMON, R.SOCKET, R.TCP_SOCK, R.XDP_SOCK),
    "btf_sock": (R.SOCK_COMMON, R.SOCKET, R.TCP_SOCK, R.XDP_SOCK, R.BTF, R.BTF | R.TRUSTED),
    "btf": (R.BTF, R.BTF | R.TRUSTED, R.BTF | R.RCU), "timer": (R.MAP_VALUE,),
    "percpu_btf": (
        R.BTF | R.PERCPU, R.BTF | R.PERCPU | R.RCU, R.BTF | R.PERCPU | R.TRUSTED,
    ),
    "spin_lock": (R.MAP_VALUE, R.BTF | R.ALLOC), "kptr": (R.MAP_VALUE, R.BTF | R.ALLOC),
    "dynptr": (R.STACK, R.DYNPTR), "dynptr_out": (R.STACK, R.DYNPTR),
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

    __slots__ = ("dynptr", "field", "func", "helper", "key", "map", "mem_size", "params", "raw",
                 "ref", "release", "result", "size_max", "uid")  # fmt: skip

    def __init__(self, helper: Helper, params: tuple[Param, ...], result: Param):
        self.helper, self.params, self.result = helper, params, result
        self.map: MapInfo | None = None
        self.uid = self.ref = self.release = self.mem_size = self.size_max = self.func = 0
        self.raw: tuple[int, int] | None = None  # register and size of memory that is only written
        self.key: int | None = None  # a constant key
        self.dynptr: Reg | None = None
        self.field: Field | None = None


def check(w: Walk, call: Call, index: int) -> None:
    """One argument; Rejected when the register does not fit the parameter."""
    param, regno = call.params[index], index + 1
    reg = w.read(regno)
    kind = param.kind
    if kind in _ANYTHING or kind == "variadic":
        if kind == "scalar" and reg.type != R.SCALAR:
            raise DoesNotKnow(f"a pointer as {param.name} of {call.helper.name}")
        if not w.perfmon:
            leaks.check_argument(reg, regno)
        return
    packet = reg.type in (R.PACKET, R.META)
    if packet and not (call.helper.takes_packet and mem.may_read_packet(w)):
        raise Rejected("packet-to-helper", "helper access to the packet is not allowed")
    if kind not in _TYPES:
        raise DoesNotKnow(f"arguments like {param.name} of {call.helper.name}")
    if kind in ("map_value", "map_value_out") and call.map is not None:
        param = _of_map(call, param)
    null = param.nullable and reg.is_null
    if not null:
        _check_type(w, call, param, reg, regno)
        _check_offset(param, reg, regno)
    if param.owned and param.kind != "dynptr_out":
        _check_owned(w, call, param, reg, regno)
    if reg.ref and kind != "kptr":
        call.ref = reg.ref
    _by_kind(w, call, index, param, reg, null)


SOCKET_MAPS = frozenset(("sockmap", "sockhash"))


def _of_map(call: Call, param: Param) -> Param:
    """What a value of the map is: of maps of sockets, a socket (resolve_map_arg_type)."""
    assert call.map is not None
    if call.map.type.name in SOCKET_MAPS and param.kind == "map_value":
        return Param(param.name, "btf_sock", None, param.nullable)
    if call.map.type.name == "bloom_filter" and call.helper.name == "map_peek_elem":
        return Param(param.name, "map_value", None, param.nullable)
    return param


def _check_owned(w: Walk, call: Call, param: Param, reg: Reg, regno: int) -> None:
    """The argument is given up, so the program must have it."""
    if param.kind == "dynptr":
        held = dynptr.slot_of(w, reg) if reg.type == R.STACK else None
        if reg.type != R.STACK:
            text = "cannot release unowned const bpf_dynptr"
            raise Rejected("not-acquired", text, "", EINVAL)
        if held is None or not held.ref:
            text = f"arg {regno} is an unacquired reference"
            raise Rejected("not-acquired", text, "", EINVAL)
    elif not reg.ref and not reg.is_null:
        text = f"R{regno} must be referenced when passed to release function"
        raise Rejected("not-acquired", text, "", EINVAL)
    call.release = regno


def _check_type(w: Walk, call: Call, param: Param, reg: Reg, regno: int) -> None:
    kind, types = reg.type, _TYPES[param.kind]
    if param.kind in _MEM_KINDS and param.kind not in _WRITTEN:
        kind &= ~R.RDONLY
    if param.nullable:
        kind &= ~R.NULLABLE
    exchange = call.helper.name == "kptr_xchg" and regno == 2
    if exchange:
        kind &= ~(R.ALLOC | R.PERCPU)
    if kind not in types:
        text = ", ".join(R.type_name(t) for t in types)
        text = f"R{regno} type={R.type_name(reg.type)} expected={text}"
        raise Rejected("argument-type", text)
    if reg.type & R.BASE != R.BTF:
        return
    if param.kind in _MEM_KINDS:
        if param.kind in _WRITTEN:
            text = f"{call.helper.name}() may write into memory pointed by R{regno}"
            raise Rejected("read-only", f"{text} type={R.type_name(reg.type)}")
        return
    if param.kind in ("percpu_btf", "spin_lock", "kptr"):
        return
    if reg.type & R.NULLABLE and (not param.nullable or param.owned):
        text = f"Possibly NULL pointer passed to helper arg{regno}"
        raise Rejected("null-pointer", text)
    assert reg.btf is not None
    if exchange:
        assert call.field is not None
        kptr.match(w, call.field, reg, regno)
        return
    name = "sock_common" if param.kind == "btf_sock" else param.of or param.type
    if name is None:
        raise DoesNotKnow(f"the type of {param.name} of {call.helper.name}")
    wanted = w.struct(name)
    strict = param.owned and call.helper.name != "sk_release"
    if not btftype.fits(reg.btf, reg.off, wanted, strict, not reg.type & R.ALLOC):
        text = f"R{regno} is of type {reg.btf.name} but {wanted.name} is expected"
        raise Rejected("argument-type", text)


def check_kernel_pointer(w: Walk, reg: Reg, regno: int, wanted: BtfType, nullable: bool) -> None:
    """A kernel pointer of a type for a global function, as one for a helper is checked."""
    kind = reg.type & ~R.NULLABLE if nullable else reg.type
    if kind not in _TYPES["btf"]:
        names = ", ".join(R.type_name(t) for t in _TYPES["btf"])
        text = f"R{regno} type={R.type_name(reg.type)} expected={names}"
        raise Rejected("argument-type", text)
    assert reg.btf is not None
    if not btftype.fits(reg.btf, reg.off, wanted, False, not reg.type & R.ALLOC):
        text = f"R{regno} is of type {reg.btf.name} but {wanted.name} is expected"
        raise Rejected("argument-type", text)
    mem.check_moved(reg, regno, fixed_fine=reg.type in _MOVED_BY_CONSTANTS)


def _check_offset(param: Param, reg: Reg, regno: int) -> None:
    if param.owned and reg.off and not param.kind.startswith("dynptr"):
        text = f"R{regno} must have zero offset when passed to release func"
        raise Rejected("moved-pointer", f"{text} or trusted arg to kfunc", "", EINVAL)
    if param.owned:
        if not param.kind.startswith("dynptr"):
            mem.check_fixed(reg, regno)
    elif reg.type & R.BASE == R.BTF:
        mem.check_moved(reg, regno, fixed_fine=reg.type in _MOVED_BY_CONSTANTS)
    elif reg.type & R.BASE in (R.CTX, R.MAP, R.DYNPTR, *R.SOCKETS):
        mem.check_fixed(reg, regno)


_MOVED_BY_CONSTANTS = frozenset((
    R.BTF, R.BTF | R.ALLOC, R.BTF | R.TRUSTED, R.BTF | R.RCU, R.BTF | R.ALLOC | R.NON_OWNING,
    R.BTF | R.ALLOC | R.NON_OWNING | R.RCU,
))  # fmt: skip


def _by_kind(w: Walk, call: Call, index: int, param: Param, reg: Reg, null: bool) -> None:
    regno, kind = index + 1, param.kind
    if kind == "map":
        if call.map is not None and (call.map is not reg.map or call.uid != reg.uid):
            text = f"timer pointer in R1 map_uid={call.uid} doesn't match map pointer in R2"
            raise Rejected("argument-type", f"{text} map_uid={reg.uid}", "", EINVAL)
        call.map, call.uid = reg.map, reg.uid
    elif kind == "map_key":
        assert call.map is not None
        call.key = _constant_key(w, call.map, reg)
        check_memory(w, call, reg, regno, call.map.key_size, False)
    elif kind in ("map_value", "map_value_out"):
        if null:
            return
        assert call.map is not None
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
        call.func = reg.frame
    elif kind == "str":
        check_string(reg, regno)
    elif kind == "timer":
        check_field(reg, regno, "bpf_timer")
        call.map, call.uid = reg.map, reg.uid
    elif kind == "kptr":
        call.field = kptr.find(w, reg, regno)
    elif kind == "dynptr":
        constant = call.helper.name in _CONSTANT_DYNPTRS
        call.dynptr = dynptr.check(w, regno, param.of or "", False, constant)
    elif kind == "dynptr_out":
        dynptr.check(w, regno, param.of or "", True, False)
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


_CONSTANT_DYNPTRS = frozenset(("dynptr_read", "dynptr_write", "dynptr_data"))
"""Helpers that take a dynptr without changing it (MEM_RDONLY in their prototypes)."""


def _check_size(w: Walk, call: Call, index: int, reg: Reg) -> None:
    """The length of the memory that the argument before points to."""
    param, regno = call.params[index], index + 1
    before = call.params[index - 1]
    call.size_max = reg.umax
    written = before.kind in _WRITTEN
    raw = before.kind in _RAW and not reg.m
    pointer = w.regs[regno - 1]
    zero = param.kind == "size0"
    check_length(w, call, pointer, regno - 1, reg, regno, zero, written, raw)
    w.precise(regno)


def check_length(
    w: Walk,
    call: Call | None,
    pointer: Reg,
    regno: int,
    size: Reg,
    size_regno: int,
    zero: bool,
    write: bool,
    raw: bool = False,
) -> None:
    """Memory with a length in a register (check_mem_size_reg)."""
    if size.smin < 0:
        text = f"R{size_regno} min value is negative, either use unsigned or 'var &= const'"
        raise Rejected("negative-size", text)
    if size.umin == 0 and not zero:
        text = f"R{size_regno} invalid zero-sized read: u64=[{size.umin},{size.umax}]"
        raise Rejected("zero-size", text)
    if size.umax >= MAX_SIZE:
        text = "unbounded memory access, use 'var &= const' or 'if (var < const)'"
        raise Rejected("unbounded", f"R{size_regno} {text}")
    check_memory(w, call, pointer, regno, size.umax, write, zero=zero, raw=raw)


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
    elif kind == R.BUF:
        mem.check_buffer(reg, regno, reg.off, size, "rdonly" if reg.type & R.RDONLY else "rdwr")
    elif kind == R.BTF:
        btfptr.access(w, reg, regno, reg.off, size, False, mem.NOTHING)
    elif kind == R.CTX and call is None:
        _check_context(w, reg, regno, size, zero, write)
    elif not (zero and size == 0 and reg.is_null):
        text = f"R{regno} type={R.type_name(reg.type)} expected=fp"
        raise Rejected("argument-type", text)


def _check_context(w: Walk, reg: Reg, regno: int, size: int, zero: bool, write: bool) -> None:
    """A context without members may be given as memory, from end to beginning."""
    if w.program.hook.name not in ctx.BARE:
        raise Rejected("argument-type", f"R{regno} type=ctx expected=fp")
    if size == 0 and not zero:
        raise Rejected("zero-size", f"R{regno} invalid zero-sized read")
    mem.check_fixed(reg, regno)
    if size:
        ctx.access(w, size - 1, 1, write, False)


def check_field(reg: Reg, regno: int, name: str) -> None:
    """A special field of a map's value (check_map_field_pointer)."""
    info = reg.map
    assert info is not None
    if reg.m:
        text = f"R{regno} doesn't have constant offset. {name} has to be at the constant offset"
        raise Rejected("field", text, "", EINVAL)
    if info.btf is None:
        text = f"map '{info.name}' has to have BTF in order to use {name}"
        raise Rejected("field", text, "", EINVAL)
    field = info.field(name)
    if field is None:
        raise Rejected("field", f"map '{info.name}' has no valid {name}", "", EINVAL)
    at = reg.off + reg.v
    if field.offset != at:
        text = f"off {at} doesn't point to 'struct {name}' that is at {field.offset}"
        raise Rejected("field", text, "", EINVAL)


def check_string(reg: Reg, regno: int) -> None:
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
    if not w.profile.constant_keys or not w.capable:
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
