"""Calls: helpers by declaration, subprograms, callbacks; wide loads and loads from packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee import helpers
from ebee.helpers import SCALARS, Helper
from ebee.verifier.core import args, mem, ret, scalar, stack, subprog
from ebee.verifier.core import reg as R
from ebee.verifier.core.args import Call
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.profile import NR_CPUS
from ebee.verifier.core.program import SLEEPABLE, MapInfo
from ebee.verifier.core.reg import UNINIT, UNKNOWN, Reg, known
from ebee.verifier.core.state import Frame

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

MAX_FRAMES = 8
MAX_ERRNO = 4095
PACKET_TYPES = frozenset((R.PACKET, R.META, R.PACKET_END))

_SIZED_RESULTS = frozenset((
    "get_stack", "get_task_stack", "probe_read_str", "probe_read_kernel_str", "probe_read_user_str",
))  # fmt: skip
"""Helpers that return an error number, or at most the size that they were given."""

_SPECIAL = frozenset((
    "get_local_storage", "snprintf", "dynptr_from_mem", "set_retval", "timer_set_callback",
    "find_vma", "user_ringbuf_drain", "kptr_xchg", "spin_lock", "spin_unlock", "get_func_ret",
    "get_func_arg", "get_func_arg_cnt", "override_return",
))  # fmt: skip
"""Helpers with rules of their own that are not written yet."""

_CASTS = frozenset(("tcp_sock", "sk_fullsock"))

global_frame = subprog.global_frame


def step(w: Walk, op: Op) -> int:
    """One call."""
    w.jumps += 1
    if op.name == "call_helper":
        return _helper(w, op)
    if op.name == "call_local":
        return _local(w, op)
    if op.name == "call_kfunc":
        raise DoesNotKnow("kernel functions")
    raise DoesNotKnow("indirect calls")


# --- subprograms ---------------------------------------------------------------------------------


def _new_frame(w: Walk, start: int, callsite: int) -> Frame:
    depth = len(w.state.frames)
    if depth >= MAX_FRAMES:
        text = f"the call stack of {depth + 1} frames is too deep"
        raise Rejected("call-depth", text, "", 7)
    return Frame(depth, w.cfg.owner[start], start, callsite)


def _local(w: Walk, op: Op) -> int:
    state = w.state
    if w.is_global(op.target):
        subprog.check_arguments(w, op.target)
        w.called_globals.add(op.target)
        state.frame.forget(0, 5)
        if subprog.moves_packet(w, op.target):
            forget_packets(w)
        state.frame.regs[0] = UNKNOWN
        return op.slot + 1
    frame = _new_frame(w, op.target, op.slot)
    caller = state.frame
    frame.regs[1:6] = caller.regs[1:6]
    frame.regs[10] = _stack_pointer(frame)
    caller.forget(0, 5)
    state.frames.append(frame)
    return op.target


def _stack_pointer(frame: Frame) -> Reg:
    made = R.pointer(R.STACK)
    made.frame = frame.number
    return made


# --- helpers -------------------------------------------------------------------------------------


def _helper(w: Walk, op: Op) -> int:
    helper = helpers.by_id(op.imm)
    if helper is None:
        raise Rejected("unknown-helper", f"invalid func unknown#{op.imm}", "", EINVAL)
    label = f"bpf_{helper.name}#{op.imm}"
    program = w.program
    if not program.hook.may_call(helper.name, program.attach_type):
        text = f"program of this type cannot use helper {label}"
        raise Rejected("helper-not-allowed", text, "", EINVAL)
    if helper.gpl and not program.gpl and program.hook.name not in helper.gpl_except:
        text = "cannot call GPL-restricted function from non-GPL compatible program"
        raise Rejected("needs-gpl", text, "", EINVAL)
    if helper.sleeps and not program.flags & SLEEPABLE:
        text = "helper call might sleep in a non-sleepable prog"
        raise Rejected("may-sleep", text, "", EINVAL)
    if helper.name in _SPECIAL:
        raise DoesNotKnow(f"helper {helper.name}")
    if w.state.locks:
        raise DoesNotKnow("calls under a lock")
    call = Call(helper, *helper.at(program.hook.name))
    for index, param in enumerate(call.params):
        if param.kind == "variadic":
            break
        args.check(w, call, index)
    _check_map(call, label)
    if call.raw is not None:
        regno, size = call.raw
        stack.overwrite(w, w.regs[regno], w.regs[regno].off, size)
    if call.release:
        _release(w, call, label)
    again = _before(w, op, call)
    _finish(w, op, call, again)
    return op.slot + 1


_SOCKETS = frozenset(("sockmap", "sockhash", "reuseport_sockarray"))


def _check_map(call: Call, label: str) -> None:
    """Helper and type of map fit each other (check_map_func_compatibility)."""
    info = call.map
    if info is None:
        return
    wanted = next((p.of for p in call.params if p.kind == "map"), None)
    listed = call.helper.name in info.type.program.split()
    if wanted is not None and info.type.name in wanted.split("|"):
        return
    if wanted is None and listed:
        if info.type.name in _SOCKETS:
            raise DoesNotKnow(f"maps of type {info.type.name}")
        return
    if wanted is None and not info.type.program:
        raise DoesNotKnow(f"maps of type {info.type.name}")
    text = f"cannot pass map_type {info.type.id} into func {label}"
    raise Rejected("map-type", text, "", EINVAL)


def _release(w: Walk, call: Call, label: str) -> None:
    if call.ref:
        found = any(number == call.ref for number, _ in w.state.refs)
        if not found:
            text = f"func {label} reference has not been acquired before"
            raise Rejected("not-acquired", text, "", EINVAL)
        forget_reference(w, call.ref)


def forget_reference(w: Walk, number: int) -> None:
    """A reference is given back: nothing that held it may be used (release_reference)."""
    w.state.refs = tuple(r for r in w.state.refs if r[0] != number)
    _forget(w, lambda reg: reg.ref == number)


def forget_packets(w: Walk) -> None:
    """The packet may have moved: pointers into it are worth nothing."""
    _forget(w, lambda reg: reg.type in PACKET_TYPES)


def _forget(w: Walk, which: object) -> None:
    assert callable(which)
    for frame in w.state.frames:
        for i, reg in enumerate(frame.regs):
            if which(reg):
                frame.regs[i] = UNKNOWN
        for i, slot in enumerate(frame.slots):
            if slot[1].type and which(slot[1]):
                frame.slots[i] = slot[0], UNKNOWN


def _before(w: Walk, op: Op, call: Call) -> bool:
    """What single helpers do beside arguments and result; whether r0-r5 are clobbered."""
    name = call.helper.name
    if name == "tail_call":
        _no_references(w)
        if w.regs[3].type == R.SCALAR and not w.regs[3].m:
            w.precise(3)
    elif name == "for_each_map_elem":
        info = call.map
        assert info is not None
        callback(w, op, call, _each_element)
    elif name == "loop":
        w.precise(1)
        frame = w.state.frame
        if frame.callback_depth < w.regs[1].umax:
            callback(w, op, call, _each_round)
        else:
            frame.callback_depth = 0
    return True


def _no_references(w: Walk) -> None:
    for number, slot in w.state.refs:
        text = f"Unreleased reference id={number} alloc_insn={slot}"
        text += "\ntail_call would lead to reference leak"
        raise Rejected("reference-leak", text, "", EINVAL)


def callback(w: Walk, op: Op, call: Call, fill: object) -> None:
    """Set aside a state in which the helper calls a function back (push_callback_call)."""
    assert callable(fill)
    start = w.cfg.starts[call.func]
    frame = _new_frame(w, start, op.slot)
    other = w.branch(start)
    caller = other.frame
    fill(w, caller, frame)
    frame.regs[10] = _stack_pointer(frame)
    frame.callback = call.helper.name
    other.frames.append(frame)
    other.unroll_depth += 1
    caller.callback_depth += 1
    w.state.frame.callback_depth = 0


def _each_round(w: Walk, caller: Frame, frame: Frame) -> None:
    frame.regs[1], frame.regs[2] = UNKNOWN, caller.regs[3]


def _each_element(w: Walk, caller: Frame, frame: Frame) -> None:
    frame.regs[1] = caller.regs[1]
    key, value = R.pointer(R.MAP_KEY), R.pointer(R.MAP_VALUE)
    key.map = value.map = caller.regs[1].map
    frame.regs[2], frame.regs[3], frame.regs[4] = key, value, caller.regs[3]


# --- results -------------------------------------------------------------------------------------


def _finish(w: Walk, op: Op, call: Call, clobber: bool) -> None:
    """What is left after a call: its result in r0, nothing in r1-r5."""
    frame = w.state.frame
    made = _result(w, op, call)
    frame.forget(0, 5)
    if call.helper.moves_packet:
        forget_packets(w)
    frame.regs[0] = made


def _result(w: Walk, op: Op, call: Call) -> Reg:
    result, helper = call.result, call.helper
    kind = result.kind
    if kind == "void":
        return UNINIT
    if kind in SCALARS:
        return _number(helper, call)
    if kind == "map_value":
        made = R.pointer(R.MAP_VALUE)
        made.map, made.uid = call.map, call.uid
        index, info = call.key, call.map
        there = helper.name == "map_lookup_elem" and index is not None
        if there and info is not None and index is not None and index < info.max_entries:
            return made
        if info is not None and info.type.name in _SOCKETS:
            raise DoesNotKnow("sockets as values of maps")
    elif kind == "alloc_mem":
        made = R.pointer(R.MEM | R.RINGBUF)
        made.range = call.mem_size
    elif kind in ("socket", "sock_common", "tcp_sock"):
        base = {"socket": R.SOCKET, "sock_common": R.SOCK_COMMON, "tcp_sock": R.TCP_SOCK}[kind]
        made = R.pointer(base)
    else:
        raise DoesNotKnow(f"results like that of {helper.name}")
    if result.nullable:
        made.type |= R.NULLABLE
        made.id = w.new_id()
    if result.owned:
        number = w.new_id()
        made.id = made.ref = number
        w.state.refs += ((number, op.slot),)
    elif helper.name in _CASTS:
        made.ref = call.ref
    return made


def _number(helper: Helper, call: Call) -> Reg:
    if helper.name == "get_smp_processor_id":
        made = known(0).copy()
        made.umax = made.smax = made.wmax = made.tmax = NR_CPUS - 1
        made.m = tnum_of(NR_CPUS - 1)
        return made
    if helper.name in _SIZED_RESULTS:
        made = R.scalar()
        made.smin, made.tmin = -MAX_ERRNO, -MAX_ERRNO
        made.smax, made.tmax = call.size_max, min(call.size_max, R.S32_MAX)
        scalar.sync(made)
        return made
    return UNKNOWN


def tnum_of(high: int) -> int:
    """The unknown bits of any number up to `high`."""
    return (1 << high.bit_length()) - 1


# --- wide loads and packets ----------------------------------------------------------------------


def wide_load(w: Walk, op: Op) -> int:
    """A wide immediate: a number, a map, an address in a map's value, a function."""
    name = op.name
    if name == "lddw_imm":
        w.regs[op.dst] = known(op.imm)
        return op.slot + 2
    if name == "lddw_func":
        if w.is_global(op.target):
            raise Rejected("callback-linkage", "callback function not static", "", EINVAL)
        made = R.pointer(R.FUNC)
        made.sub = w.cfg.owner[op.target]
    else:
        found = w.program.pseudo.get(op.slot)
        if found is None:
            raise DoesNotKnow("addresses of this kind")
        kind, info, offset = found
        made = R.pointer(R.MAP if kind == "map" else R.MAP_VALUE)
        made.map, made.off = info, offset
        if info.type.name == "arena":
            raise DoesNotKnow("arena pointers")
        if kind == "data":
            _check_direct(info, offset)
    w.regs[op.dst] = made
    return op.slot + 2


def _check_direct(info: MapInfo, offset: int) -> None:
    if not info.type.direct or info.max_entries != 1:
        text = "no direct value access support for this map type"
        raise Rejected("direct-value", text, "", EINVAL)
    if offset >= info.value_size:
        text = f"invalid access to map value pointer, value_size={info.value_size} off={offset}"
        raise Rejected("direct-value", text, "", EINVAL)


_SKB_LOADS = frozenset(("socket_filter", "tc", "tcx", "netkit", "tc_action"))


def packet_load(w: Walk, op: Op) -> int:
    """A load kept from classic BPF: context in r6, result in r0; ends the program when the packet
    is too short."""
    if w.program.hook.name not in _SKB_LOADS:
        text = "BPF_LD_[ABS|IND] instructions not allowed for this program type"
        raise Rejected("packet-load", text, "", EINVAL)
    if len(w.state.frames) > 1 or len(w.cfg.starts) > 1:
        raise DoesNotKnow("packet loads in programs with functions")
    context = w.read(6)
    ret.check_references(w, "BPF_LD_[ABS|IND]")
    if context.type != R.CTX:
        text = "at the time of BPF_LD_ABS|IND R6 != pointer to skb"
        raise Rejected("packet-load", text, "", EINVAL)
    if op.operation == "ind":
        w.read(op.src)
    mem.check_fixed(context, 6)
    frame = w.state.frame
    frame.forget(0, 5)
    frame.regs[0] = UNKNOWN
    return op.slot + 1
