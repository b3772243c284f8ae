"""Arguments of kernel functions, by their BTF types and the endings of their names
(check_kfunc_args, get_kfunc_ptr_arg_type)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.btf import Btf, FuncProto, Ptr, Typedef, Void
from ebee.btf.types import Param
from ebee.errors import BtfError
from ebee.hooks.numbers import PROG_TYPES
from ebee.verifier.core import args, btfptr, btftype, dynptr, graph, iters, locks, mem
from ebee.verifier.core import reg as R
from ebee.verifier.core.btftype import BtfType
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.special import Field, fields

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

_STRUCTS = {
    "bpf_list_head": "list", "bpf_list_node": "node", "bpf_rb_root": "tree",
    "bpf_rb_node": "leaf", "bpf_wq": "field", "bpf_timer": "field", "bpf_task_work": "field",
    "bpf_res_spin_lock": "lock", "bpf_dynptr": "dynptr", "bpf_dynptr_kern": "dynptr",
}  # fmt: skip
"""Kinds of arguments by the struct that they point to."""

_SUFFIXES = (
    ("__alloc", "object"), ("__refcounted_kptr", "counted"), ("__str", "text"), ("__map", "map"),
    ("__irq_flag", "flag"),
)  # fmt: skip
_MAKES = {"bpf_dynptr_from_skb": "skb", "bpf_dynptr_from_xdp": "xdp",
          "bpf_dynptr_from_skb_meta": "skb_meta"}  # fmt: skip
_CSS_HOOKS = frozenset(("lsm", "lsm_cgroup", "iter"))
_SAFE = R.ALLOC | R.TRUSTED | R.NON_OWNING


class Meta:
    """One call while it is checked: the function, and what its arguments say of the rest."""

    __slots__ = (
        "btf", "constant", "dynptr", "flags", "found_constant", "func", "iterator", "map",
        "map_uid", "name", "object", "proto", "ref", "release", "result_rdonly", "result_size",
        "root", "under_rcu",
    )  # fmt: skip

    def __init__(self, name: str, flags: frozenset[str], btf: Btf, proto: FuncProto):
        self.name, self.flags, self.btf, self.proto = name, flags, btf, proto
        self.constant = self.func = self.ref = self.release = self.result_size = self.map_uid = 0
        self.found_constant = self.result_rdonly = self.under_rcu = False
        self.dynptr: Reg | None = None
        self.iterator: BtfType | None = None
        self.object: BtfType | None = None
        self.root: Field | None = None
        self.map: object = None

    @property
    def sleepable(self) -> bool:
        return "sleepable" in self.flags

    @property
    def trusted(self) -> bool:
        """All pointers must be good; those of functions that release are (KF_RELEASE)."""
        return "trusted_args" in self.flags or "release" in self.flags


def context_types(w: Walk) -> tuple[BtfType | None, BtfType | None]:
    """What the context is to programs and to the kernel (struct bpf_ctx_convert)."""
    btf = w.program.types()
    pairs = btftype.struct(btf, "bpf_ctx_convert")
    names = {number: name for name, number in PROG_TYPES.items()}
    stem = f"BPF_PROG_TYPE_{names[w.program.hook.prog_type].upper()}_"
    found: list[BtfType | None] = []
    for ending in ("prog", "kern"):
        members = getattr(pairs.type, "members", ()) if pairs is not None else ()
        member = next((m for m in members if m.name == stem + ending), None)
        found.append(btftype.of(btf, member.type) if member is not None else None)
    return found[0], found[1]


def named(btf: Btf, type_id: int, name: str) -> bool:
    """Whether a type comes by a typedef of a name."""
    found = btf.type(type_id)
    while isinstance(found, btftype.MODIFIERS):
        if isinstance(found, Typedef) and found.name == name:
            return True
        found = btf.type(found.type)
    return False


def is_context(w: Walk, btf: Btf, type_id: int) -> bool:
    """Whether a pointed-to type is the context of these programs (btf_is_prog_ctx_type)."""
    kprobe = w.program.hook.prog_type == PROG_TYPES["kprobe"]
    if kprobe and named(btf, type_id, "bpf_user_pt_regs_t"):
        return True
    to = btftype.of(btf, type_id)
    mine = context_types(w)[0]
    if not to.composite or mine is None or not mine.name:
        return False
    if to.name == "bpf_user_pt_regs_t" and mine.name == "pt_regs":
        return True
    projected = {("__sk_buff", "sk_buff"), ("xdp_md", "xdp_buff")}
    return to.name == mine.name or (mine.name, to.name) in projected


def check(w: Walk, meta: Meta) -> None:
    """All arguments; Rejected when one does not fit."""
    params = meta.proto.params
    if len(params) > 5:
        text = f"Function {meta.name} has {len(params)} > 5 args"
        raise Rejected("kfunc", text, "", EINVAL)
    index = 0
    while index < len(params):
        index += _argument(w, meta, index)
    if "release" in meta.flags and not meta.release:
        text = f"release kernel function {meta.name} expects refcounted PTR_TO_BTF_ID"
        raise Rejected("not-acquired", text, "", EINVAL)


def _argument(w: Walk, meta: Meta, index: int) -> int:
    """One argument; how many it takes: 2 for memory with its length."""
    param, regno = meta.proto.params[index], index + 1
    if param.name.endswith(("__ign", "__prog")):
        return 1
    found = btftype.of(meta.btf, param.type)
    if btftype.is_scalar(found.type):
        _number(w, meta, param, w.regs[regno], regno)
        return 1
    reg = w.read(regno)
    if not isinstance(found.type, Ptr):
        kind = btftype.kind_name(found.type)
        raise Rejected("kfunc", f"Unrecognized arg#{index} type {kind}", "", EINVAL)
    nullable = param.name.endswith(("__nullable", "__opt"))
    strict = meta.trusted or "rcu" in meta.flags
    empty = reg.is_null or reg.type & R.NULLABLE
    if strict and empty and not param.name.endswith("__nullable"):
        text = f"Possibly NULL pointer passed to trusted arg{index}"
        raise Rejected("null-pointer", text)
    if reg.ref:
        meta.ref = reg.ref
        if "release" in meta.flags:
            meta.release = regno
    to = btftype.of(meta.btf, found.type.type)
    kind = _kind(w, meta, index, param, found.type, to, reg)
    if kind == "null":
        return 1
    if kind in ("object", "btf") and strict and not btfptr.trusted(reg):
        if "rcu" not in meta.flags:
            text = f"R{regno} must be referenced or trusted"
            raise Rejected("untrusted", text, "", EINVAL)
        if not btfptr.rcu(reg):
            raise Rejected("untrusted", f"R{regno} must be a rcu pointer", "", EINVAL)
    if kind != "scalar":
        _check_offset(reg, regno, "release" in meta.flags and bool(reg.ref))
    if kind == "sized":
        _sized(w, meta, index, reg, nullable)
        return 2
    _ways[kind](w, meta, index, param, to, reg)
    return 1


def _check_offset(reg: Reg, regno: int, release: bool) -> None:
    """How far the pointer may have been moved (check_func_arg_reg_off)."""
    if release:
        if reg.off:
            text = f"R{regno} must have zero offset when passed to release func"
            raise Rejected("moved-pointer", f"{text} or trusted arg to kfunc", "", EINVAL)
        mem.check_fixed(reg, regno)
        return
    if reg.type & R.BASE in _MOVABLE or reg.type == R.SCALAR:
        return
    mem.check_moved(reg, regno, fixed_fine=reg.type in _MOVED_BY_CONSTANTS)


_MOVABLE = frozenset((R.STACK, R.PACKET, R.META, R.MAP_KEY, R.MAP_VALUE, R.MEM, R.BUF, R.ARENA))
_MOVED_BY_CONSTANTS = frozenset((
    R.BTF, R.BTF | R.ALLOC, R.BTF | R.TRUSTED, R.BTF | R.RCU, R.BTF | R.ALLOC | R.NON_OWNING,
    R.BTF | R.ALLOC | R.NON_OWNING | R.RCU,
))  # fmt: skip


def _number(w: Walk, meta: Meta, param: Param, reg: Reg, regno: int) -> None:
    if reg.type != R.SCALAR:
        raise Rejected("argument-type", f"R{regno} is not a scalar", "", EINVAL)
    buffer = param.name in ("rdonly_buf_size", "rdwr_buf_size")
    if param.name.endswith("__k"):
        if reg.m:
            raise Rejected("not-constant", f"R{regno} must be a known constant", "", EINVAL)
        w.precise(regno)
        meta.constant, meta.found_constant = reg.v, True
    elif buffer:
        if reg.m:
            raise Rejected("not-constant", f"R{regno} is not a const", "", EINVAL)
        meta.result_rdonly = param.name == "rdonly_buf_size"
        meta.result_size = reg.v
        if reg.v >> 32:
            text = f"R{regno} rdonly/rdwr_buf_size exceeds u32 max"
            raise Rejected("kfunc", text, "", EINVAL)
        w.precise(regno)


def _kind(
    w: Walk, meta: Meta, index: int, param: Param, pointer: Ptr, to: BtfType, reg: Reg
) -> str:
    """What kind of pointer the function takes (get_kfunc_ptr_arg_type)."""
    if meta.name == "bpf_cast_to_kern_ctx" or is_context(w, meta.btf, pointer.type):
        return "context"
    if param.name.endswith("__nullable") and reg.is_null:
        return "null"
    for suffix, kind in _SUFFIXES:
        if param.name.endswith(suffix):
            return kind
    if to.name in _STRUCTS and to.composite:
        return _STRUCTS[to.name]
    if index == 0 and meta.flags & {"iter_new", "iter_next", "iter_destroy"}:
        return "iterator"
    if param.name.endswith("__iter"):
        return "iterator"
    if reg.type & R.BASE == R.BTF or reg.type & R.BASE in btfptr.SOCKETS:
        if not to.composite:
            kind = btftype.kind_name(to.type)
            text = f"kernel function {meta.name} args#{index} pointer type {kind} {to.name}"
            raise Rejected("kfunc", f"{text} is not supported", "", EINVAL)
        return "btf"
    if isinstance(to.type, FuncProto):
        return "function"
    sized = _has_size(w, meta, index)
    plain = btftype.is_scalar(to.type) or btftype.scalar_struct(to)
    if not plain and not (sized and isinstance(to.type, Void)):
        kind = btftype.kind_name(to.type)
        text = f"arg#{index} pointer type {kind} {to.name} must point to"
        text += f" {'void, ' if sized else ''}scalar, or struct with scalar"
        raise Rejected("kfunc", text, "", EINVAL)
    return "sized" if sized else "memory"


def _has_size(w: Walk, meta: Meta, index: int) -> bool:
    params = meta.proto.params
    if index + 1 >= len(params):
        return False
    after = params[index + 1]
    scalar = btftype.is_scalar(btftype.of(meta.btf, after.type).type)
    here = w.regs[index + 2].type == R.SCALAR
    return scalar and here and after.name.endswith(("__sz", "__szk"))


# --- one way for each kind -----------------------------------------------------------------------


def _context(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    if reg.type != R.CTX:
        text = f"arg#{index} expected pointer to ctx, but got {R.type_name(reg.type)}"
        raise Rejected("argument-type", text, "", EINVAL)


def _object(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    wanted = {
        R.BTF | R.ALLOC: "bpf_obj_drop_impl", R.BTF | R.ALLOC | R.PERCPU: "bpf_percpu_obj_drop_impl"
    }.get(reg.type)  # fmt: skip
    if wanted is None:
        text = f"arg#{index} expected pointer to allocated object"
        raise Rejected("argument-type", text, "", EINVAL)
    if meta.name != wanted:
        raise Rejected("argument-type", f"arg#{index} expected for {wanted}()", "", EINVAL)
    if not reg.ref:
        raise Rejected("not-acquired", "allocated object must be referenced", "", EINVAL)
    meta.object = reg.btf


def _counted(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    if reg.type & (R.BASE | R.ALLOC) != R.BTF | R.ALLOC or reg.btf is None:
        text = f"arg#{index} is neither owning or non-owning ref"
        raise Rejected("argument-type", text, "", EINVAL)
    found = fields(reg.btf.btf, reg.btf.id, w.program.kernel)
    if not any(f.name == "bpf_refcount" for f in found):
        text = f"arg#{index} doesn't point to a type with bpf_refcount field"
        raise Rejected("argument-type", text, "", EINVAL)
    if not reg.type & R.NON_OWNING and reg.ref:
        meta.flags = meta.flags - {"ret_null"}
    meta.object = reg.btf


def _dynptr(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    make = param.name.endswith("__uninit")
    kind, clone = _MAKES.get(meta.name, ""), 0
    if make and meta.name == "bpf_dynptr_clone":
        assert meta.dynptr is not None
        kind, clone = dynptr.KINDS[meta.dynptr.range], meta.dynptr.ref
    found = dynptr.check(w, index + 1, kind if make else "", make, reg.type == R.DYNPTR, clone)
    if not make:
        meta.dynptr = found


def _iterator(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    allowed = w.program.hook.name in _CSS_HOOKS or w.sleepable
    if meta.name == "bpf_iter_css_task_new" and not allowed:
        text = "css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs"
        raise Rejected("kfunc", text, "", EINVAL)
    make = "iter_new" in meta.flags
    iters.check(w, index + 1, to, make, "rcu_protected" in meta.flags, meta.name)
    meta.iterator = to
    if not make:
        frame, spi = dynptr.place(w, reg, "iter", to.size // 8)
        held = frame.slots[spi][1]
        meta.ref = held.ref
        meta.under_rcu = bool(held.type & R.RCU)


def _head(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    graph.root(w, meta, reg, index + 1, to.name)


def _node(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    graph.node_argument(w, meta, reg, index + 1, to.name)


def _map(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    if reg.map is None and reg.btf is not None:
        _btf(w, meta, index, param, w.struct("bpf_map"), reg)
        return
    if reg.map is None:
        text = f"pointer in R{index + 1} isn't map pointer"
        raise Rejected("argument-type", text, "", EINVAL)
    held = meta.map is not None and any(
        f.name in ("bpf_wq", "bpf_task_work") for f in reg.map.fields
    )
    if held and (meta.map is not reg.map or meta.map_uid != reg.uid):
        what = "workqueue" if reg.map.field("bpf_wq") else "bpf_task_work"
        text = f"{what} pointer in R1 map_uid={meta.map_uid} doesn't match map pointer in R2"
        raise Rejected("argument-type", f"{text} map_uid={reg.uid}", "", EINVAL)
    meta.map, meta.map_uid = reg.map, reg.uid
    if not btfptr.trusted(reg) and meta.trusted:
        text = f"R{index + 1} must be referenced or trusted"
        raise Rejected("untrusted", text, "", EINVAL)
    _btf(w, meta, index, param, w.struct("bpf_map"), reg)


def _btf(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    base = reg.type & R.BASE
    unsafe = bool(reg.type & ~R.BASE & ~_SAFE)
    if (base != R.BTF or (unsafe and not btfptr.rcu(reg))) and base not in btfptr.SOCKETS:
        wanted = R.type_name(base | reg.type & _SAFE)
        text = f"arg#{index} is {R.type_name(reg.type)} expected {wanted} or socket"
        raise Rejected("argument-type", text, "", EINVAL)
    have = reg.btf if base == R.BTF else w.struct(btfptr.SOCKETS[base])
    assert have is not None
    strict = ("release" in meta.flags and bool(reg.ref)) or _aliases(have, to)
    flexible = not reg.type & R.ALLOC
    projection = (to.name, have.name) in (("__sk_buff", "sk_buff"), ("xdp_md", "xdp_buff"))
    if not projection and not btftype.fits(have, reg.off, to, strict, flexible):
        text = f"kernel function {meta.name} args#{index} expected pointer to STRUCT {to.name}"
        text += f" but R{index + 1} has a pointer to {btftype.kind_name(have.type)} {have.name}"
        raise Rejected("argument-type", text, "", EINVAL)


def _aliases(one: BtfType, other: BtfType) -> bool:
    """Two names of one struct, of which one says that it is not initialised
    (btf_type_ids_nocast_alias)."""
    bare = one.name.removesuffix("___init"), other.name.removesuffix("___init")
    return one.name != other.name and bare[0] == bare[1]


def _memory(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    regno = index + 1
    try:
        size = to.size
    except BtfError:
        kind = btftype.kind_name(to.type)
        text = f"arg#{index} reference type('{kind} {to.name}') size cannot be determined: -22"
        raise Rejected("kfunc", text, "", EINVAL) from None
    check_both(w, reg, regno, size)


def check_both(w: Walk, reg: Reg, regno: int, size: int) -> None:
    """Memory that may be read and written (check_mem_reg)."""
    if reg.is_null:
        return
    plain = reg
    if reg.type & R.NULLABLE:
        plain = reg.copy()
        plain.type &= ~R.NULLABLE
    args.check_memory(w, None, plain, regno, size, False)
    args.check_memory(w, None, plain, regno, size, True)


def _sized(w: Walk, meta: Meta, index: int, reg: Reg, optional: bool) -> None:
    regno, size = index + 1, w.regs[index + 2]
    if not (reg.is_null and optional):
        try:
            plain = reg
            if reg.type & R.NULLABLE:
                plain = reg.copy()
                plain.type &= ~R.NULLABLE
            for write in (False, True):
                args.check_length(w, None, plain, regno, size, regno + 1, True, write)
            w.precise(regno + 1)
        except Rejected as error:
            pair = f"arg#{index} arg#{index + 1} memory, len pair leads to invalid memory access"
            raise Rejected(error.id, f"{error.message}\n{pair}", error.detail, EINVAL) from None
    if meta.proto.params[index + 1].name.endswith("__szk"):
        if size.m:
            raise Rejected("not-constant", f"R{regno + 1} must be a known constant", "", EINVAL)
        meta.constant, meta.found_constant = size.v, True


def _function(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    if reg.type != R.FUNC:
        raise Rejected("argument-type", f"arg{index} expected pointer to func", "", EINVAL)
    meta.func = reg.frame


def _text(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    if reg.type != R.MAP_VALUE:
        text = f"arg#{index} doesn't point to a const string"
        raise Rejected("argument-type", text, "", EINVAL)
    args.check_string(reg, index + 1)


def _field(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    if reg.type != R.MAP_VALUE:
        text = f"arg#{index} doesn't point to a map value"
        raise Rejected("argument-type", text, "", EINVAL)
    args.check_field(reg, index + 1, to.name)
    meta.map, meta.map_uid = reg.map, reg.uid


def _lock(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    if reg.type not in (R.MAP_VALUE, R.BTF | R.ALLOC):
        text = f"arg#{index} doesn't point to map value or allocated object"
        raise Rejected("argument-type", text, "", EINVAL)
    kind = "res_lock_irq" if "irq" in meta.name else "res_lock"
    locks.spin_lock(w, index + 1, "unlock" not in meta.name, kind)


def _flag(w: Walk, meta: Meta, index: int, param: Param, to: BtfType, reg: Reg) -> None:
    kind = "lock" if "spin" in meta.name else "native"
    save = meta.name in ("bpf_local_irq_save", "bpf_res_spin_lock_irqsave")
    (locks.irq_save if save else locks.irq_restore)(w, index + 1, kind)


_ways = {
    "context": _context, "object": _object, "counted": _counted, "dynptr": _dynptr,
    "iterator": _iterator, "list": _head, "tree": _head, "node": _node, "leaf": _node, "map": _map,
    "btf": _btf, "memory": _memory, "function": _function, "text": _text, "field": _field,
    "lock": _lock, "flag": _flag,
}  # fmt: skip
__all__ = ["DoesNotKnow", "Meta", "check", "check_both", "context_types", "is_context"]
