"""Calls: helpers by declaration, subprograms, callbacks; wide loads and loads from packets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from ebee import helpers
from ebee.btf import Btf, Datasec, Func, Var
from ebee.helpers import SCALARS
from ebee.verifier.core import (
    allowed,
    args,
    btftype,
    dynptr,
    kfunc,
    kptr,
    locks,
    mem,
    ret,
    scalar,
    spectre,
    stack,
    subprog,
)
from ebee.verifier.core import reg as R
from ebee.verifier.core.args import Call
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import EBADF, EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.reg import UNINIT, UNKNOWN, ZERO, Reg, known
from ebee.verifier.core.state import Frame, State

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

MAX_FRAMES = 8
MAX_ERRNO = 4095
PACKET_TYPES = frozenset((R.PACKET, R.META, R.PACKET_END))

_SIZED_RESULTS = frozenset((
    "get_stack", "get_task_stack", "probe_read_str", "probe_read_kernel_str", "probe_read_user_str",
))  # fmt: skip
"""Helpers that return an error number, or at most the size that they were given."""

_UNCHECKED = frozenset((("get_branch_snapshot", 2),))
"""Parameters that prototypes leave out (bpf_get_branch_snapshot_proto)."""

_CASTS = frozenset(("tcp_sock", "sk_fullsock", "skc_to_tcp_sock", "skc_to_tcp6_sock",
                    "skc_to_udp6_sock", "skc_to_mptcp_sock", "skc_to_tcp_timewait_sock",
                    "skc_to_tcp_request_sock"))  # fmt: skip

global_frame = subprog.global_frame


def step(w: Walk, op: Op) -> int:
    """One call."""
    w.jumps += 1
    if op.name == "call_helper":
        return _helper(w, op)
    if op.name == "call_local":
        return _local(w, op)
    if op.name == "call_kfunc":
        return kfunc.step(w, op)
    raise DoesNotKnow("indirect calls")


# --- subprograms ---------------------------------------------------------------------------------


def _new_frame(w: Walk, start: int, callsite: int) -> Frame:
    depth = len(w.state.frames)
    if depth >= MAX_FRAMES:
        text = f"the call stack of {depth + 1} frames is too deep"
        raise Rejected("call-depth", text, "", 7)
    w.entered.add(w.cfg.owner[start])
    return Frame(depth, w.cfg.owner[start], start, callsite)


def _local(w: Walk, op: Op) -> int:
    state = w.state
    if w.is_global(op.target):
        subprog.check_regions(w, op.target)
        subprog.check_arguments(w, op.target)
        w.called_globals.add(op.target)
        if w.log is not None:
            w.log.assumed(w, op.target)
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
    allowed.check(w, helper, label)
    call = Call(helper, *helper.at(w.program.hook.name))
    for index, param in enumerate(call.params):
        if param.kind == "variadic" or (helper.name, index) in _UNCHECKED:
            break
        args.check(w, call, index)
    _check_map(w, call, label)
    if call.raw is not None:
        regno, size = call.raw
        stack.overwrite(w, w.regs[regno], w.regs[regno].off, size)
    if call.release:
        _release(w, call, label)
    again = _before(w, op, call)
    _finish(w, op, call, again)
    if helper.name == "tail_call" and len(w.state.frames) > 1 and w.profile.tail_calls_return:
        return _left(w, op)
    return op.slot + 1


def _left(w: Walk, op: Op) -> int:
    """A tail call in a function: it fails, or another program returns in the function's place."""
    w.branch(op.slot + 1)
    forget_packets(w)
    w.regs[0] = UNKNOWN
    return ret.leave(w)


_CHANGES = frozenset(("map_update_elem", "map_delete_elem"))
_CHANGES_SOCKETS = frozenset((
    "socket_filter", "tc", "tcx", "netkit", "tc_action", "xdp", "sk_reuseport", "flow_dissector",
    "sk_lookup", "iter",
))  # fmt: skip


def may_change_sockets(w: Walk, helper: str) -> bool:
    """Whether these programs may put sockets into maps, and out of them (may_update_sockmap)."""
    hook = w.program.hook.name
    return hook in _CHANGES_SOCKETS or (hook == "sock_ops" and helper == "map_delete_elem")


PLAIN_MAPS = frozenset((
    "hash", "array", "percpu_hash", "percpu_array", "lru_hash", "lru_percpu_hash", "lpm_trie",
    "arena",
))  # fmt: skip
"""Types of maps that any helper takes which names none."""


def _gives_socket(call: Call) -> bool:
    assert call.map is not None
    return call.helper.name == "map_lookup_elem" and call.map.type.name in args.SOCKET_MAPS


def _check_map(w: Walk, call: Call, label: str) -> None:
    """Helper and type of map fit each other (check_map_func_compatibility)."""
    info = call.map
    if info is None:
        return
    changes = info.type.name in args.SOCKET_MAPS and call.helper.name in _CHANGES
    if changes and not may_change_sockets(w, call.helper.name):
        text = "cannot update sockmap in this context\n"
        text += f"cannot pass map_type {info.type.id} into func {label}"
        raise Rejected("map-type", text, "", EINVAL)
    wanted = next((p.of for p in call.params if p.kind == "map"), None)
    listed = call.helper.name in info.type.program.split()
    if wanted is not None and info.type.name in wanted.split("|"):
        return
    if wanted is None and (listed or info.type.name in PLAIN_MAPS):
        return
    if wanted is None and not info.type.program:
        raise DoesNotKnow(f"maps of type {info.type.name}")
    text = f"cannot pass map_type {info.type.id} into func {label}"
    if call.helper.name == "for_each_map_elem":
        text = "callback function not allowed for map"
    raise Rejected("map-type", text, "", EINVAL)


def _release(w: Walk, call: Call, label: str) -> None:
    """The argument that the helper takes is given up."""
    reg = w.regs[call.release]
    if call.params[call.release - 1].kind == "dynptr":
        dynptr.release(w, reg)
        return
    if not call.ref and reg.is_null:
        return
    if not call.ref or not w.holds(call.ref):
        text = f"func {label} reference has not been acquired before"
        raise Rejected("not-acquired", text, "", EINVAL)
    if call.helper.name == "kptr_xchg" and w.in_rcu:
        kptr.keep_under_rcu(w, call.ref)
    w.release(call.ref)


def forget_packets(w: Walk) -> None:
    """The packet may have moved: pointers into it are worth nothing."""
    w.forget(lambda reg: reg.type in PACKET_TYPES)
    dynptr.forget_packets(w)


def _before(w: Walk, op: Op, call: Call) -> bool:
    """What single helpers do beside arguments and result; whether r0-r5 are clobbered."""
    name = call.helper.name
    if name == "tail_call":
        spectre.note_tail_call(w, call.map)
        locks.check_leaks(w, "tail_call", True)
        if w.regs[3].type == R.SCALAR and not w.regs[3].m:
            w.precise(3)
    elif name == "set_retval" and w.program.hook.name == "lsm_cgroup" and ret.returns_nothing(w):
        text = "BPF_LSM_CGROUP that attach to void LSM hooks can't modify return value!"
        raise Rejected("flags", text, "", EINVAL)
    elif name == "dynptr_from_mem" and w.regs[1].type != R.MAP_VALUE:
        kind = R.type_name(w.regs[1].type)
        text = f"Unsupported reg type {kind} for bpf_dynptr_from_mem data"
        raise Rejected("argument-type", text, "", EINVAL)
    elif name == "get_local_storage" and not w.regs[2].is_null:
        text = "get_local_storage() doesn't support non-zero flags"
        raise Rejected("flags", text, "", EINVAL)
    elif name in ("spin_lock", "spin_unlock"):
        locks.spin_lock(w, 1, name == "spin_lock", "lock")
    elif name == "loop":
        _inlined(w, op, call.func)
        w.precise(1)
        frame = w.state.frame
        if frame.callback_depth < w.regs[1].umax:
            callback(w, op, call.func, name, _each_round)
        else:
            frame.callback_depth = 0
    elif name == "timer_set_callback":
        callback_later(w, op, call.func, name, sleepable=False)
    elif name in _CALLBACKS:
        callback(w, op, call.func, name, _CALLBACKS[name])
    return True


def _inlined(w: Walk, op: Op, func: int) -> None:
    """Whether the loop can stand in the call's place: of one function, and without flags, of which
    that has to be precise (update_loop_inline_state)."""
    fits, first = w.inlined.get(op.slot, (True, func))
    if fits and w.regs[4].is_null:
        w.precise(4)
    w.inlined[op.slot] = fits and w.regs[4].is_null and func == first, first


Fill = Callable[["Walk", Frame, Frame], None]
"""What sets the registers of a function that is called back, from those of the caller."""


def callback(w: Walk, op: Op, func: int, name: str, fill: Fill) -> None:
    """Set aside a state in which the helper calls a function back (push_callback_call)."""
    start = w.cfg.starts[func]
    frame = _new_frame(w, start, op.slot)
    other = w.branch(start)
    caller = other.frame
    fill(w, caller, frame)
    frame.regs[10] = _stack_pointer(frame)
    frame.callback = name
    other.frames.append(frame)
    other.unroll_depth += 1
    caller.callback_depth += 1
    w.state.frame.callback_depth = 0


def callback_later(w: Walk, op: Op, func: int, name: str, sleepable: bool, holder: int = 1) -> None:
    """Set aside a state in which a function runs that the program leaves behind for later
    (push_async_cb): of this path it knows nothing. It is given the map of register `holder`, and
    a key and a value of it (set_timer_callback_state)."""
    start, caller = w.cfg.starts[func], w.state.frame
    frame = Frame(0, w.cfg.owner[start], start, -1)
    for regno, kind in ((1, R.MAP), (2, R.MAP_KEY), (3, R.MAP_VALUE)):
        made = R.pointer(kind)
        made.map, made.uid = caller.regs[holder].map, caller.regs[holder].uid
        frame.regs[regno] = made
    frame.regs[10] = _stack_pointer(frame)
    frame.callback, frame.entry = name, caller.entry + 1
    w.run_later.add(frame.subprog)
    w.entered.add(frame.subprog)
    other = State([frame])
    other.sleepable = sleepable
    w.set_aside(other, start)


def _found_vma(w: Walk, caller: Frame, frame: Frame) -> None:
    frame.regs[1] = caller.regs[1]
    area = R.pointer(R.BTF)
    area.btf = w.struct("vm_area_struct")
    frame.regs[2], frame.regs[3] = area, caller.regs[4]


def _drained(w: Walk, caller: Frame, frame: Frame) -> None:
    made = R.pointer(R.DYNPTR)
    made.range, made.frame, made.id = dynptr.KINDS.index("local"), 1, w.new_id()
    frame.regs[1], frame.regs[2] = made, caller.regs[3]


def _each_round(w: Walk, caller: Frame, frame: Frame) -> None:
    frame.regs[1], frame.regs[2] = UNKNOWN, caller.regs[3]


def _each_element(w: Walk, caller: Frame, frame: Frame) -> None:
    frame.regs[1] = caller.regs[1]
    key, value = R.pointer(R.MAP_KEY), R.pointer(R.MAP_VALUE)
    key.map = value.map = caller.regs[1].map
    frame.regs[2], frame.regs[3], frame.regs[4] = key, value, caller.regs[3]


_CALLBACKS: dict[str, Fill] = {
    "for_each_map_elem": _each_element, "find_vma": _found_vma, "user_ringbuf_drain": _drained,
}  # fmt: skip


# --- results -------------------------------------------------------------------------------------


def _finish(w: Walk, op: Op, call: Call, clobber: bool) -> None:
    """What is left after a call: its result in r0, nothing in r1-r5."""
    frame = w.state.frame
    made = _result(w, op, call)
    frame.forget(0, 5)
    moved = call.helper.moves_packet
    if call.helper.name == "tail_call":  # then the program ends, or nothing happened
        moved = not w.profile.tail_calls_keep
    if call.helper.name == "dynptr_write" and call.dynptr is not None:
        moved = dynptr.KINDS[call.dynptr.range] in ("skb", "skb_meta")
    if moved:
        forget_packets(w)
    frame.regs[0] = made


def _result(w: Walk, op: Op, call: Call) -> Reg:
    result, helper = call.result, call.helper
    kind = result.kind
    if kind == "void" or helper.name == "tail_call":  # which C declares as a number, too
        return UNINIT
    if helper.name == "task_pt_regs":  # declared as a number in C
        made = R.pointer(R.BTF | R.TRUSTED)
        made.btf = w.struct("pt_regs")
        return made
    if kind in SCALARS:
        return _number(w, call)
    if kind == "map_value":
        made = R.pointer(R.MAP_VALUE)
        made.map, made.uid = call.map, call.uid
        index, info = call.key, call.map
        there = helper.name == "map_lookup_elem" and index is not None
        if there and info is not None and index is not None and index < info.max_entries:
            made.id = w.new_id() if info.lock is not None else 0
            return made
    elif kind == "alloc_mem":
        made = R.pointer(R.MEM | R.RINGBUF)
        made.range = call.mem_size
    elif kind in ("socket", "sock_common", "tcp_sock"):
        base = {"socket": R.SOCKET, "sock_common": R.SOCK_COMMON, "tcp_sock": R.TCP_SOCK}[kind]
        made = R.pointer(base)
    elif kind == "btf":
        made = _kernel_pointer(w, call)
    elif kind == "percpu_mem":
        made = _one_cpu(w, call)
    elif kind == "dynptr_mem":
        made = R.pointer(R.MEM)
        made.range = call.mem_size
        if call.dynptr is not None:
            made.uid, made.ref = call.dynptr.id, call.dynptr.ref
    else:
        raise DoesNotKnow(f"results like that of {helper.name}")
    if result.nullable:
        made.type |= R.NULLABLE
        made.id = w.new_id()
    if result.owned or (call.map is not None and _gives_socket(call)):
        made.id = made.ref = w.acquire()
    elif helper.name in _CASTS:
        made.ref = call.ref
    return made


def _kernel_pointer(w: Walk, call: Call) -> Reg:
    result = call.result
    if call.field is not None:
        return kptr.exchanged(w, call)
    name = result.of or result.type
    if name is None:
        raise DoesNotKnow(f"results like that of {call.helper.name}")
    made = R.pointer(R.BTF)
    made.btf = w.struct(name)
    if call.helper.name in _TRUSTED_RESULTS:
        made.type |= R.TRUSTED
    return made


_TRUSTED_RESULTS = frozenset(("get_current_task_btf", "task_pt_regs"))


def _one_cpu(w: Walk, call: Call) -> Reg:
    """One processor's copy of a variable: a struct, or plain memory (RET_PTR_TO_MEM_OR_BTF_ID)."""
    reg = w.regs[1]
    if reg.btf is None:
        raise DoesNotKnow("the type of this variable")
    if reg.type & R.RCU:  # allocated by a program
        made = R.pointer(R.BTF | R.ALLOC | R.RCU)
        made.btf = reg.btf
        return made
    if reg.btf.composite:
        made = R.pointer(R.BTF)
        made.btf = reg.btf
        return made
    made = R.pointer(R.MEM | R.RDONLY)
    made.range = reg.btf.size
    return made


def _number(w: Walk, call: Call) -> Reg:
    helper, last = call.helper, w.profile.cpus - 1
    if helper.name == "get_smp_processor_id":
        made = known(0).copy()
        made.umax = made.smax = made.wmax = made.tmax = last
        made.m = tnum_of(last)
        return made
    if helper.name in _SIZED_RESULTS:
        made = R.scalar()
        made.smin, made.tmin = -MAX_ERRNO, -MAX_ERRNO
        made.smax, made.tmax = call.size_max, min(call.size_max, R.S32_MAX)
        scalar.sync(made, w.profile.single_values)
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
        made.frame = w.cfg.owner[op.target]
        w.taken.add(made.frame)
    else:
        found = w.program.pseudo.get(op.slot)
        if found is None and op.name.startswith("lddw_map"):
            text = f"fd {op.insn.imm} is not pointing to valid bpf_map"
            raise Rejected("bad-map", text, "a file cannot name maps by number", EBADF)
        if found is None:
            raise DoesNotKnow("addresses of this kind")
        kind, info, offset = found
        if kind == "number":
            w.regs[op.dst] = UNKNOWN
            return op.slot + 2
        if kind == "ksym":
            w.regs[op.dst] = _variable(w, info)
            return op.slot + 2
        made = R.pointer(R.MAP if kind == "map" else R.MAP_VALUE)
        made.map, made.off = info, offset
        if info.type.name == "arena" and kind == "data":
            w.regs[op.dst] = UNKNOWN
            return op.slot + 2
    w.regs[op.dst] = made
    return op.slot + 2


def _variable(w: Walk, id: int) -> Reg:
    """The address of a kernel's variable or function (check_pseudo_btf_id)."""
    btf = w.program.types()
    found = btf.type(id)
    if isinstance(found, Func):
        return R.pointer(R.MEM | R.RDONLY)
    assert isinstance(found, Var)
    to = btftype.of(btf, found.type)
    if id in _per_cpu(btf):
        made = R.pointer(R.BTF | R.PERCPU)
        made.btf = to
    elif to.composite:
        made = R.pointer(R.BTF)
        made.btf = to
    else:
        made = R.pointer(R.MEM | R.RDONLY)
        made.range = to.size
    return made


@cache
def _per_cpu(btf: Btf) -> frozenset[int]:
    section = btf.get(".data..percpu", Datasec)
    return frozenset(v.type for v in section.vars) if section is not None else frozenset()


_SKB_LOADS = frozenset(("socket_filter", "tc", "tcx", "netkit", "tc_action"))


def packet_load(w: Walk, op: Op) -> int:
    """A load kept from classic BPF: context in r6, result in r0; ends the program when the packet
    is too short."""
    if w.program.hook.name not in _SKB_LOADS:
        text = "BPF_LD_[ABS|IND] instructions not allowed for this program type"
        raise Rejected("packet-load", text, "", EINVAL)
    context = w.read(6)
    locks.check_leaks(w, "BPF_LD_[ABS|IND]", True, thrown=False)
    if context.type != R.CTX:
        text = "at the time of BPF_LD_ABS|IND R6 != pointer to skb"
        raise Rejected("packet-load", text, "", EINVAL)
    if op.operation == "ind":
        w.read(op.src)
    mem.check_fixed(context, 6)
    frame = w.state.frame
    frame.forget(0, 5)
    frame.regs[0] = UNKNOWN
    if len(w.state.frames) > 1:  # the load fails: the function returns 0
        w.branch(op.slot + 1)
        frame.regs[0] = ZERO
        return ret.leave(w)
    return op.slot + 1
