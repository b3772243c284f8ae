"""Memory: what a load or store may reach through a pointer of each type (check_mem_access)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee import maps
from ebee.verifier.core import (
    btfptr,
    btftype,
    ctx,
    kptr,
    leaks,
    scalar,
    sock,
    special,
    stack,
    tnum,
)
from ebee.verifier.core import reg as R
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.program import ANY_ALIGNMENT, STRICT_ALIGNMENT, MapInfo
from ebee.verifier.core.reg import Reg, known
from ebee.verifier.core.special import Field

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

MAX_VAR_OFF = 1 << 29
MAX_PACKET = 0xFFFF
NEGATIVE = "min value is negative, either use unsigned index or do a if (index >=0) check."
NOTHING = -1
"""The value register of an access that neither fills nor stores one."""

_DESCRIBED = {
    R.FLOW_KEYS: "flow keys ", R.MAP_KEY: "key ", R.MAP_VALUE: "value ", R.CTX: "context ",
    R.STACK: "stack ", R.SOCKET: "sock ", R.SOCK_COMMON: "sock_common ", R.TCP_SOCK: "tcp_sock ",
    R.XDP_SOCK: "xdp_sock ", R.ARENA: "arena ",
}  # fmt: skip
_NO_ATOMICS = frozenset((R.CTX, R.PACKET, R.META, R.FLOW_KEYS, *R.SOCKETS))
_READ_ONLY_PACKET = frozenset(
    ("lwt_in", "lwt_out", "lwt_seg6local", "sk_reuseport", "flow_dissector", "cgroup_skb")
)
_WRITES_PACKET = frozenset(
    ("tc", "tcx", "netkit", "tc_action", "xdp", "lwt_xmit", "sk_skb", "sk_msg", "cgroup_sockopt")
)


def load(w: Walk, op: Op) -> int:
    """A load into a register."""
    w.read(op.src)
    kind = w.regs[op.src].type
    access(w, op, op.src, op.off, op.size, False, op.dst, op.signed)
    same_place(w, op, kind)
    return op.slot + 1


def store(w: Walk, op: Op) -> int:
    """A store of a register or a constant."""
    if op.reg:
        w.read(op.src)
    w.read(op.dst)
    kind = w.regs[op.dst].type
    access(w, op, op.dst, op.off, op.size, True, op.src if op.reg else NOTHING)
    same_place(w, op, kind)
    return op.slot + 1


def atomic(w: Walk, op: Op) -> int:
    """An atomic operation: a load and a store at the same place."""
    operation = op.operation
    if operation in ("load_acquire", "store_release"):
        base = op.src if operation == "load_acquire" else op.dst
        w.read(op.src)
        if operation == "store_release":
            w.read(op.dst)
        verb = "loads from" if operation == "load_acquire" else "stores into"
        _check_atomic(w, op, base, verb)
        value = op.dst if operation == "load_acquire" else op.src
        kind = w.regs[base].type
        access(w, op, base, op.off, op.size, operation == "store_release", value, once=True)
        same_place(w, op, kind)
        return op.slot + 1
    w.read(op.src)
    w.read(op.dst)
    if operation == "cmpxchg":
        w.read(0)
    if not w.perfmon:
        leaks.check_atomic(w, op)
    _check_atomic(w, op, op.dst, "stores into")
    base_reg = w.regs[op.dst]
    target = NOTHING
    if operation.startswith("fetch") or operation == "xchg":
        target = op.src
    elif operation == "cmpxchg":
        target = 0
    access(w, op, op.dst, op.off, op.size, False, NOTHING, once=True)
    if target >= 0:
        w.regs[target] = R.UNKNOWN if target != op.dst else w.regs[target]
        access(w, op, op.dst, op.off, op.size, False, target, once=True, base=base_reg)
    same_place(w, op, base_reg.type)
    access(w, op, op.dst, op.off, op.size, True, NOTHING, once=True, base=base_reg)
    return op.slot + 1


_REWRITTEN = frozenset((R.CTX, *R.SOCKETS, R.BTF, R.ARENA))
"""Types of pointers through which the kernel rewrites accesses."""


def same_place(w: Walk, op: Op, kind: int) -> None:
    """One instruction cannot be rewritten in two ways (save_aux_ptr_type)."""
    before = w.place_types.setdefault(op.slot, kind)
    if op.kind == "load" and kind & R.BASE == before & R.BASE == R.BTF:
        return  # loads through kernel pointers that are trusted, or not
    if kind != before and (kind & R.BASE in _REWRITTEN or before & R.BASE in _REWRITTEN):
        text = "same insn cannot be used with different pointers"
        raise Rejected("different-pointers", text, "", EINVAL)


_NOT_IN_ARENAS = frozenset((
    "fetch_and", "fetch_or", "fetch_xor", "load_acquire", "store_release",
))  # fmt: skip
"""Atomic operations for which x86 has no single instruction, or no recovery from a fault."""


def _check_atomic(w: Walk, op: Op, regno: int, verb: str) -> None:
    kind = w.regs[regno].type
    arena = kind == R.ARENA and op.operation in _NOT_IN_ARENAS
    if kind & R.BASE in _NO_ATOMICS or arena:
        text = f"BPF_ATOMIC {verb} R{regno} {R.type_name(kind)} is not allowed"
        raise Rejected("atomic-place", text)


def access(
    w: Walk,
    op: Op,
    regno: int,
    off: int,
    size: int,
    write: bool,
    value: int,
    signed: bool = False,
    once: bool = False,
    base: Reg | None = None,
) -> None:
    """`size` bytes at register + off. `value` is the register that is filled or stored; `once`:
    the access must be aligned whatever the memory."""
    reg = base or w.regs[regno]
    check_alignment(w, reg, off, size, once)
    off += reg.off
    kind = reg.type & R.BASE
    way = _WAYS.get(kind)
    nullable = reg.type & R.NULLABLE
    if way is None or nullable:
        raise Rejected("not-memory", f"R{regno} invalid mem access '{R.type_name(reg.type)}'")
    if not w.perfmon:
        leaks.check_access(w, reg, write, value, may_write_packet(w))
    made = way(w, op, reg, regno, off, size, write, value, signed)
    if made is None or write or value < 0:
        return
    if size < 8 and made.type == R.SCALAR:
        made = made.copy()
        if signed:
            made.id = made.off = 0
            scalar.sign_extend(made, size, w.profile.single_values)
        else:
            scalar.truncate(made, size, w.profile.single_values)
    w.regs[value] = made


def check_alignment(w: Walk, reg: Reg, off: int, size: int, once: bool = False) -> None:
    """On x86 only the stack and atomic operations care, unless the program asked for more."""
    kind = reg.type & R.BASE
    flags = w.program.flags
    asked = bool(flags & STRICT_ALIGNMENT) or w.profile.strict_alignment
    asked = asked and not flags & ANY_ALIGNMENT
    if size == 1 or not (once or asked or kind == R.STACK):
        return
    v, m = tnum.add(reg.v, reg.m, reg.off + off & tnum.U64, 0)
    if kind in (R.PACKET, R.META):
        if not asked and not once:
            return
        v, m = tnum.add(v, m, 2, 0)
        if (v | m) & size - 1:
            place = f"2+{tnum.text(reg.v, reg.m)}+{reg.off}+{off}"
            text = f"misaligned packet access off {place} size {size}"
            raise Rejected("misaligned", text)
        return
    if (v | m) & size - 1:
        place = f"{tnum.text(reg.v, reg.m)}+{reg.off}+{off}"
        text = f"misaligned {_DESCRIBED.get(kind, '')}access off {place} size {size}"
        raise Rejected("misaligned", text)


# --- memory of a known size ----------------------------------------------------------------------


def _outside(reg: Reg, regno: int, off: int, size: int, limit: int) -> tuple[str, str]:
    """The kernel's words for an access that is not inside, and the inequality."""
    kind = reg.type & R.BASE
    name = {R.MAP_KEY: "key size", R.MAP_VALUE: "value size"}.get(kind, "size")
    if kind in (R.PACKET, R.META):
        name = "verified packet length"
        where = f"R{regno}(id={reg.id},off={off},r={reg.range})"
        text = f"invalid access to packet, off={off} size={size}, {where}"
    elif kind == R.MAP_KEY:
        text = f"invalid access to map key, key_size={limit} off={off} size={size}"
    elif kind == R.MAP_VALUE:
        text = f"invalid access to map value, value_size={limit} off={off} size={size}"
    else:
        text = f"invalid access to memory, mem_size={limit} off={off} size={size}"
    why = f"offset {off} + {size} bytes > {name} {limit}"
    return text, why if off >= 0 else f"offset {off} is negative"


def _inside(off: int, size: int, limit: int, zero: bool) -> bool:
    return off >= 0 and (size > 0 or (size == 0 and zero)) and off + size <= limit


def check_region(reg: Reg, regno: int, off: int, size: int, limit: int, zero: bool = False) -> None:
    """Offsets from the smallest to the largest must stay inside `limit` bytes."""
    low = reg.smin + off
    if reg.smin < 0 and (reg.smin == R.S64_MIN or low < 0):
        text = f"R{regno} {NEGATIVE}"
        raise Rejected("negative-offset", text, f"the smallest offset is {low}")
    if not _inside(low, size, limit, zero):
        text, why = _outside(reg, regno, low, size, limit)
        text += f"\nR{regno} min value is outside of the allowed memory range"
        raise Rejected("out-of-bounds", text, why)
    if reg.umax >= MAX_VAR_OFF:
        text = f"R{regno} unbounded memory access, make sure to bounds check any such access"
        raise Rejected("unbounded", text, f"the offset may be up to {reg.umax}")
    if not _inside(reg.umax + off, size, limit, zero):
        text, why = _outside(reg, regno, reg.umax + off, size, limit)
        text += f"\nR{regno} max value is outside of the allowed memory range"
        raise Rejected("out-of-bounds", text, why)


def check_map_value(
    reg: Reg, regno: int, off: int, size: int, write: bool, zero: bool = False, helper: bool = False
) -> Field | None:
    """An access inside a value of a map, as its flags and special fields allow; the field that it
    reaches, where that has an own rule."""
    info = reg.map
    assert info is not None
    forbidden = maps.FLAGS["rdonly_prog" if write else "wronly_prog"]
    if info.flags & forbidden:
        what = "write into" if write else "read from"
        text = f"{what} map forbidden, value_size={info.value_size} off={off} size={size}"
        raise Rejected("map-access", text)
    return check_value(reg, regno, off, size, zero, helper)


def check_value(
    reg: Reg, regno: int, off: int, size: int, zero: bool = False, helper: bool = False
) -> Field | None:
    """The same, whatever the flags of the map (check_map_access)."""
    info = reg.map
    assert info is not None
    check_region(reg, regno, off, size, info.value_size, zero)
    for field in info.fields:
        if reg.smin + off < field.offset + field.size and field.offset < reg.umax + off + size:
            if field.name in special.REFS and not helper:
                return field
            name = kptr.shown(field)
            if field.name in special.REFS:
                text = f"{name} cannot be accessed indirectly by helper"
            else:
                text = f"{name} cannot be accessed directly by load/store"
            raise Rejected("special-field", text)
    return None


def check_packet(reg: Reg, regno: int, off: int, size: int, zero: bool = False) -> None:
    """An access to the bytes of a packet that are known to be there."""
    if reg.smin < 0:
        text = f"R{regno} {NEGATIVE}"
        raise Rejected("negative-offset", text, f"the smallest offset is {reg.smin}")
    if reg.range < 0:
        raise Rejected("packet-bounds", f"R{regno} offset is outside of the packet", "", EINVAL)
    if not _inside(off, size, reg.range, zero):
        text, why = _outside(reg, regno, off, size, reg.range)
        text += f"\nR{regno} offset is outside of the packet"
        raise Rejected("packet-bounds", text, why)


def may_write_packet(w: Walk) -> bool:
    """Whether programs of this type may store into packets."""
    return w.program.hook.name in _WRITES_PACKET


def may_read_packet(w: Walk) -> bool:
    name = w.program.hook.name
    return name in _WRITES_PACKET or name in _READ_ONLY_PACKET


# --- one way for each type of pointer ------------------------------------------------------------


def _map_value(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    field = check_map_value(reg, regno, off, size, write)
    if field is not None:
        return kptr.access(w, op, reg, field, off + reg.v, size, write, value)
    info = reg.map
    if info is not None and info.data is not None and not write and not reg.m:
        return _constant(info, off + reg.v, size, signed)
    return R.UNKNOWN


def _constant(info: MapInfo, at: int, size: int, signed: bool) -> Reg:
    """What stands in a frozen data section."""
    if not info.flags & maps.FLAGS["rdonly_prog"] or info.data is None:
        return R.UNKNOWN
    number = int.from_bytes(info.data[at : at + size], "little", signed=signed)
    return known(number & tnum.U64)


def _map_key(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    if write:
        raise Rejected("read-only", f"write to change key R{regno} not allowed")
    assert reg.map is not None
    check_region(reg, regno, off, size, reg.map.key_size)
    return R.UNKNOWN


def _plain(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    if write and reg.type & R.RDONLY:
        raise Rejected("read-only", f"R{regno} cannot write into {R.type_name(reg.type)}")
    if reg.type & (R.RDONLY | R.UNTRUSTED) != R.RDONLY | R.UNTRUSTED:
        check_region(reg, regno, off, size, reg.range)
    return R.UNKNOWN


def _packet(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    if write and not may_write_packet(w):
        raise Rejected("read-only", "cannot write into packet")
    check_packet(reg, regno, off, size)
    return R.UNKNOWN


def _stack(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg | None:  # fmt: skip
    stack.check_bounds(w, reg, regno, off, size, " write to" if write else " read from")
    if write:
        stack.store(w, op, reg, regno, off, size, value)
        return None
    return stack.load(w, reg, regno, off, size, value)


def _ctx(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    check_fixed(reg, regno)
    return ctx.access(w, off, size, write, signed)


def _socket(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    name = R.type_name(reg.type)
    if write:
        raise Rejected("read-only", f"R{regno} cannot write into {name}")
    if not sock.may_load(reg.type, off, size):
        raise Rejected("socket-access", f"R{regno} invalid {name} access off={off} size={size}")
    return R.UNKNOWN


def _btf(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    return btfptr.access(w, reg, regno, off, size, write, value)


def _buffer(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    """Memory whose size is known when the program is attached (check_buffer_access)."""
    name = "rdonly" if reg.type & R.RDONLY else "rdwr"
    if write and reg.type & R.RDONLY:
        raise Rejected("read-only", f"R{regno} cannot write into {R.type_name(reg.type)}")
    check_buffer(reg, regno, off, size, name)
    return R.UNKNOWN


def check_buffer(reg: Reg, regno: int, off: int, size: int, name: str) -> None:
    """An access of memory of which only the beginning is known."""
    if off < 0:
        text = f"R{regno} invalid {name} buffer access: off={off}, size={size}"
        raise Rejected("buffer-access", text)
    if reg.m:
        text = f"R{regno} invalid variable buffer offset: off={off}, var_off="
        raise Rejected("buffer-access", text + tnum.text(reg.v, reg.m))


_MAP_STRUCTS = {
    "array": "bpf_array", "percpu_array": "bpf_array", "prog_array": "bpf_array",
    "perf_event_array": "bpf_array", "cgroup_array": "bpf_array", "array_of_maps": "bpf_array",
    "hash": "bpf_htab", "percpu_hash": "bpf_htab", "lru_hash": "bpf_htab",
    "lru_percpu_hash": "bpf_htab", "hash_of_maps": "bpf_htab", "lpm_trie": "lpm_trie",
    "ringbuf": "bpf_ringbuf_map", "user_ringbuf": "bpf_ringbuf_map", "queue": "bpf_queue_stack",
    "stack": "bpf_queue_stack", "stack_trace": "bpf_stack_map", "devmap": "bpf_dtab",
    "devmap_hash": "bpf_dtab", "cpumap": "bpf_cpu_map", "xskmap": "xsk_map",
    "sockmap": "bpf_stab", "sockhash": "bpf_shtab", "reuseport_sockarray": "reuseport_array",
    "cgroup_storage": "bpf_cgroup_storage_map", "percpu_cgroup_storage": "bpf_cgroup_storage_map",
    "sk_storage": "bpf_local_storage_map", "inode_storage": "bpf_local_storage_map",
    "task_storage": "bpf_local_storage_map", "cgrp_storage": "bpf_local_storage_map",
    "bloom_filter": "bpf_bloom_filter", "struct_ops": "bpf_struct_ops_map", "arena": "bpf_arena",
}  # fmt: skip
"""The struct behind a map of each type (map_btf_id of its bpf_map_ops)."""


def _map(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    """The map itself, as the kernel's struct (check_ptr_to_map_access)."""
    info = reg.map
    assert info is not None
    name = _MAP_STRUCTS.get(info.type.name)
    if name is None:
        raise DoesNotKnow(f"the struct of {info.type.name} maps")
    if not w.perfmon:
        leaks.check_map(name)
    to = w.struct(name)
    if off < 0:
        text = f"R{regno} is {name} invalid negative access: off={off}"
        raise Rejected("map-access", text)
    if write:
        raise Rejected("read-only", f"only read from {name} is supported")
    made = R.pointer(R.BTF)
    made.btf = to
    found = btftype.reach(to, off, size)
    if found.type is None:
        return R.UNKNOWN
    return btfptr.loaded(w, made, to, found)


def _arena(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    return R.UNKNOWN


def _flow_keys(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    if size < 0 or off < 0 or off + size > FLOW_KEYS:
        text = f"invalid access to flow keys off={off} size={size}"
        raise Rejected("flow-keys", text)
    return R.UNKNOWN


FLOW_KEYS = 56  # sizeof(struct bpf_flow_keys)


def _tracepoint_buffer(
    w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, write: bool, value: int,
    signed: bool,
) -> Reg:  # fmt: skip
    check_buffer(reg, regno, off, size, "tracepoint")
    return R.UNKNOWN


def check_fixed(reg: Reg, regno: int) -> None:
    """A pointer that must not have been moved (check_ptr_off_reg)."""
    check_moved(reg, regno, fixed_fine=False)


def check_moved(reg: Reg, regno: int, fixed_fine: bool) -> None:
    """The same; `fixed_fine`: a known distance forwards is allowed."""
    name = R.type_name(reg.type)
    if reg.off < 0:
        text = f"negative offset {name} ptr R{regno} off={reg.off} disallowed"
        raise Rejected("moved-pointer", text)
    if reg.off and not fixed_fine:
        text = f"dereference of modified {name} ptr R{regno} off={reg.off} disallowed"
        raise Rejected("moved-pointer", text)
    if reg.m or reg.v:
        text = f"variable {name} access var_off={tnum.text(reg.v, reg.m)} disallowed"
        raise Rejected("moved-pointer", text)


_WAYS = {
    R.MAP_VALUE: _map_value, R.MAP_KEY: _map_key, R.MEM: _plain, R.PACKET: _packet,
    R.META: _packet, R.STACK: _stack, R.CTX: _ctx,
    R.SOCKET: _socket, R.SOCK_COMMON: _socket, R.TCP_SOCK: _socket, R.XDP_SOCK: _socket,
    R.BTF: _btf, R.BUF: _buffer, R.MAP: _map, R.ARENA: _arena, R.FLOW_KEYS: _flow_keys,
    R.TP_BUFFER: _tracepoint_buffer,
}  # fmt: skip
