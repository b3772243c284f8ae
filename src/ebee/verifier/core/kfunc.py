"""Calls of kernel functions, by their BTF prototype and flags (check_kfunc_call)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.btf import Ptr, Struct, Union, Void
from ebee.errors import BtfError
from ebee.verifier.core import btftype, graph, iters, kfuncargs, locks
from ebee.verifier.core import reg as R
from ebee.verifier.core.btftype import BtfType
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.kfuncargs import Meta, context_types
from ebee.verifier.core.kfuncs import all_kfuncs, may_call
from ebee.verifier.core.reg import UNKNOWN, Reg
from ebee.verifier.core.special import fields

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

MAX_PER_CPU = 512  # BPF_GLOBAL_PERCPU_MA_MAX_SIZE
UNDER_LOCK = frozenset((
    *graph.LISTS, *graph.TREES, "bpf_refcount_acquire_impl", "bpf_iter_num_new",
    "bpf_iter_num_next", "bpf_iter_num_destroy", "bpf_res_spin_lock", "bpf_res_spin_unlock",
    "bpf_res_spin_lock_irqsave", "bpf_res_spin_unlock_irqrestore", "bpf_stream_vprintk_impl",
))  # fmt: skip
"""What may be called while a lock is held (kfunc_spin_allowed)."""


def step(w: Walk, op: Op) -> int:
    """One call."""
    if not op.imm:  # as libbpf leaves what is not there: refused after the walk, if it is reached
        w.missing_kfuncs = True
        return op.slot + 1
    name, proto = w.cfg.kfuncs[op.slot]
    if w.state.locks and name not in UNDER_LOCK:
        text = "function calls are not allowed while holding a lock"
        raise Rejected("lock-held", text, "", EINVAL)
    kfunc = all_kfuncs().get(name)
    if kfunc is None:
        raise DoesNotKnow(f"kernel function {name}")
    if not may_call(kfunc, w.program.hook.name, w.profile.version):
        text = f"calling kernel function {name} is not allowed"
        raise Rejected("kfunc", text)
    meta = Meta(name, kfunc.flags, w.program.types(), proto)
    if meta.sleepable and not w.sleepable:
        text = f"program must be sleepable to call sleepable kfunc {name}"
        raise Rejected("may-sleep", text)
    kfuncargs.check(w, meta)
    if name in _EFFECTS:
        _EFFECTS[name](w, op, meta)
    _regions(w, meta)
    if meta.release and not w.holds(w.regs[meta.release].ref):
        text = f"kfunc {name}#{op.imm} reference has not been acquired before"
        raise Rejected("not-acquired", text, "", EINVAL)
    if meta.release:
        w.release(w.regs[meta.release].ref)
    if name in graph.ADDS:
        graph.give(w, meta)
    if name == "bpf_throw":
        return _throw(w)
    _finish(w, op, meta)
    return op.slot + 1


def _regions(w: Walk, meta: Meta) -> None:
    """RCU, preemption: entered and left, and calls that may sleep inside."""
    name = meta.name
    if name in ("bpf_rcu_read_lock", "bpf_rcu_read_unlock"):
        if w.state.rcu and graph.in_callback(w):
            text = "Calling bpf_rcu_read_{lock,unlock} in unnecessary rbtree callback"
            raise Rejected("region", text)
        (locks.read_lock if name == "bpf_rcu_read_lock" else locks.read_unlock)(w, name)
    elif name in ("bpf_preempt_disable", "bpf_preempt_enable"):
        locks.preempt(w, name, name == "bpf_preempt_disable")
    elif meta.sleepable:
        text = f"kernel func {name} is sleepable within"
        locks.check_may_sleep(
            w,
            (
                f"{text} rcu_read_lock region",
                f"{text} non-preemptible region",
                f"{text} IRQ-disabled region",
            ),
        )


def _throw(w: Walk) -> int:
    """The program ends here, whatever function runs."""
    from ebee.verifier.core import ret

    w.throws = True
    if not w.program.exception_callback:
        ret.check_thrown(w)
    locks.check_leaks(w, "bpf_throw", True, thrown=True)
    return -1


# --- what calls do beside arguments and result ---------------------------------------------------


def _callback_later(w: Walk, op: Op, meta: Meta) -> None:
    from ebee.verifier.core import call

    holder = 3 if "task_work" in meta.name else 1
    call.callback_later(w, op, meta.func, meta.name, sleepable=True, holder=holder)


def _compare_nodes(w: Walk, op: Op, meta: Meta) -> None:
    from ebee.verifier.core import call

    call.callback(w, op, meta.func, meta.name, lambda *frames: graph.compare(meta, *frames))


_EFFECTS = {
    "bpf_wq_set_callback_impl": _callback_later,
    "bpf_task_work_schedule_signal_impl": _callback_later,
    "bpf_task_work_schedule_resume_impl": _callback_later,
    "bpf_rbtree_add_impl": _compare_nodes,
}


# --- results -------------------------------------------------------------------------------------


def _finish(w: Walk, op: Op, meta: Meta) -> None:
    frame = w.state.frame
    branch = meta.name.startswith("bpf_res_spin_lock")
    iterator = frame.regs[1]
    made = _result(w, op, meta)
    frame.forget(0, 5)
    if meta.name == "bpf_xdp_pull_data":
        from ebee.verifier.core import call

        call.forget_packets(w)
    frame.regs[0] = made
    if branch:
        _maybe_locked(w, op, meta)
    if "iter_next" in meta.flags:
        assert meta.iterator is not None
        iters.next_element(w, iterator, meta.iterator)
    if "iter_destroy" in meta.flags:
        assert meta.iterator is not None
        iters.destroy(w, iterator, meta.iterator)


def _maybe_locked(w: Walk, op: Op, meta: Meta) -> None:
    """The lock is taken (0), or it is not (an error number), and then nothing happened."""
    other = w.branch(op.slot + 1)
    for held in [h for h in other.refs if h.slot == op.slot and h.kind in locks.KINDS][-1:]:
        other.refs = tuple(h for h in other.refs if h is not held)
        other.locks -= 1
    made = R.scalar()
    made.smin, made.smax = -4095, -1
    made.tmin, made.tmax = -4095, -1
    from ebee.verifier.core import scalar

    scalar.sync(made, w.profile.single_values)
    other.frame.regs[0] = made
    w.state.frame.regs[0] = R.ZERO


def _result(w: Walk, op: Op, meta: Meta) -> Reg:
    btf, proto = meta.btf, meta.proto
    result = btftype.of(btf, proto.type) if proto.type else None
    if result is None or isinstance(result.type, Void):
        return R.UNINIT
    if btftype.is_scalar(result.type):
        return UNKNOWN
    if not isinstance(result.type, Ptr):
        raise DoesNotKnow(f"what {meta.name} returns")
    to = btftype.of(btf, result.type.type)
    special = _SPECIAL.get(meta.name)
    if special is not None:
        made = special(w, meta)
    elif meta.name in graph.NODES:
        made = graph.node(meta)
    elif isinstance(to.type, Void):
        return UNKNOWN
    elif not to.composite:
        made = _memory(meta, to)
    else:
        made = R.pointer(R.BTF)
        made.btf = to
        if "iter_next" in meta.flags:
            made.type |= R.RCU if meta.under_rcu else R.TRUSTED
        elif meta.name == "bpf_get_kmem_cache":
            made.type |= R.UNTRUSTED
    if made.type == R.SCALAR:
        return made
    if "ret_null" in meta.flags:
        made.type |= R.NULLABLE
        made.id = w.new_id()
    if "acquire" in meta.flags:
        made.ref = w.acquire()
        if "ret_null" in meta.flags:
            made.id = made.ref
    elif meta.name in graph.NODES and meta.name not in graph.TAKES:
        graph.not_owned(w, made)
    if not made.id and _has_lock(made):
        made.id = w.new_id()
    return made


def _has_lock(reg: Reg) -> bool:
    return (
        bool(reg.type & R.ALLOC)
        and reg.btf is not None
        and any("spin_lock" in f.name for f in fields(reg.btf.btf, reg.btf.id, None))
    )


def _memory(meta: Meta, to: BtfType) -> Reg:
    made = R.pointer(R.MEM)
    size = 8 if meta.name == "bpf_session_cookie" else meta.result_size
    if not size:
        try:
            size = to.size
        except BtfError:
            text = f"kernel function {meta.name} returns pointer type {to.name} is not supported"
            raise Rejected("kfunc", text, "", EINVAL) from None
        made.type |= R.RDONLY
    elif meta.result_rdonly:
        made.type |= R.RDONLY
    made.range, made.ref = size, meta.ref
    return made


def _new_object(w: Walk, meta: Meta) -> Reg:
    btf, number = w.program.btf, meta.constant
    if btf is None:
        text = "bpf_obj_new/bpf_percpu_obj_new requires prog BTF"
        raise Rejected("kfunc", text, "", EINVAL)
    if number >> 32:
        text = "local type ID argument must be in range [0, U32_MAX]"
        raise Rejected("kfunc", text, "", EINVAL)
    to = btftype.of(btf, number) if number < len(btf) else None
    if to is None or not isinstance(btf.type(number), Struct):
        text = "bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct"
        raise Rejected("kfunc", text, "", EINVAL)
    made = R.pointer(R.BTF | R.ALLOC)
    made.btf = to
    if meta.name == "bpf_percpu_obj_new_impl":
        made.type |= R.PERCPU
        text = "bpf_percpu_obj_new type"
        if to.size > MAX_PER_CPU:
            text += f" size ({to.size}) is greater than {MAX_PER_CPU}"
            raise Rejected("kfunc", text, "", EINVAL)
        if not btftype.scalar_struct(to):
            text += " ID argument must be of a struct of scalars"
            raise Rejected("kfunc", text, "", EINVAL)
        if fields(to.btf, to.id, w.program.kernel):
            text += " ID argument must not contain special fields"
            raise Rejected("kfunc", text, "", EINVAL)
    return made


def _same_object(w: Walk, meta: Meta) -> Reg:
    made = R.pointer(R.BTF | R.ALLOC)
    made.btf = meta.object
    return made


def _kernel_context(w: Walk, meta: Meta) -> Reg:
    """The kernel's struct behind the context, by the pairs in struct bpf_ctx_convert."""
    to = context_types(w)[1]
    if to is None or not to.composite:
        raise DoesNotKnow("the kernel's context of these programs")
    made = R.pointer(R.BTF | R.TRUSTED)
    made.btf = to
    return made


def _untrusted(w: Walk, meta: Meta) -> Reg:
    btf, number = w.program.types(), meta.constant
    if not number:
        return R.pointer(R.MEM | R.RDONLY | R.UNTRUSTED)
    found = btf.type(number) if number < len(btf) else None
    if not isinstance(found, Struct | Union):
        text = "kfunc bpf_rdonly_cast type ID argument must be of a struct or void"
        raise Rejected("kfunc", text, "", EINVAL)
    made = R.pointer(R.BTF | R.UNTRUSTED)
    made.btf = btftype.of(btf, number)
    return made


def _slice(w: Walk, meta: Meta) -> Reg:
    from ebee.verifier.core import mem

    assert meta.dynptr is not None
    made = R.pointer(R.MEM)
    made.range, made.uid = meta.constant, meta.dynptr.id
    if meta.name == "bpf_dynptr_slice":
        made.type |= R.RDONLY
    elif not mem.may_write_packet(w):
        text = "the prog does not allow writes to packet data"
        raise Rejected("read-only", text, "", EINVAL)
    return made


_SPECIAL = {
    "bpf_obj_new_impl": _new_object, "bpf_percpu_obj_new_impl": _new_object,
    "bpf_refcount_acquire_impl": _same_object, "bpf_cast_to_kern_ctx": _kernel_context,
    "bpf_rdonly_cast": _untrusted, "bpf_dynptr_slice": _slice, "bpf_dynptr_slice_rdwr": _slice,
}  # fmt: skip
