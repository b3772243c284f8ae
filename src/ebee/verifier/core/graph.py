"""Lists and trees of a program's own objects: their heads in maps or objects, their nodes, and who
owns what is in them (process_kf_arg_ptr_to_graph_root and its relatives)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import btftype, locks
from ebee.verifier.core import reg as R
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.special import Field, fields
from ebee.verifier.core.state import Frame

if TYPE_CHECKING:
    from ebee.verifier.core.kfuncargs import Meta
    from ebee.verifier.core.walk import Walk

LISTS = frozenset((
    "bpf_list_push_front_impl", "bpf_list_push_back_impl", "bpf_list_pop_front",
    "bpf_list_pop_back", "bpf_list_front", "bpf_list_back",
))  # fmt: skip
TREES = frozenset((
    "bpf_rbtree_add_impl", "bpf_rbtree_remove", "bpf_rbtree_first", "bpf_rbtree_root",
    "bpf_rbtree_left", "bpf_rbtree_right",
))  # fmt: skip
ADDS = frozenset((
    "bpf_list_push_front_impl", "bpf_list_push_back_impl", "bpf_rbtree_add_impl",
))  # fmt: skip
TAKES = frozenset(("bpf_list_pop_front", "bpf_list_pop_back", "bpf_rbtree_remove"))
NODES = (LISTS | TREES) - ADDS
"""What gives back a node; those of TAKES own it."""

_OBJECT = R.BTF | R.ALLOC


def in_callback(w: Walk) -> bool:
    """Whether this is the function that compares nodes of a tree."""
    return w.state.frame.callback == "bpf_rbtree_add_impl"


def root(w: Walk, meta: Meta, reg: Reg, regno: int, kind: str) -> None:
    """The argument that is the head of a list or the root of a tree."""
    if reg.type not in (R.MAP_VALUE, _OBJECT):
        text = f"arg#{regno - 1} expected pointer to map value or allocated object"
        raise Rejected("argument-type", text, "", EINVAL)
    if reg.type == _OBJECT and not reg.ref:
        raise Rejected("graph", "allocated object must be referenced", "", EINVAL)
    if reg.m:
        text = f"R{regno} doesn't have constant offset. {kind} has to be at the constant offset"
        raise Rejected("graph", text, "", EINVAL)
    at = reg.off + reg.v
    found = locks.fields_of(w, reg)
    field = next((f for f in found if f.name == kind and f.offset == at), None)
    if field is None:
        raise Rejected("graph", f"{kind} not found at offset={at}", "", EINVAL)
    _check_locked(w, reg, found, kind)
    meta.root = field


def _check_locked(w: Walk, reg: Reg, found: tuple[Field, ...], kind: str) -> None:
    held = locks.active(w.state)
    mine = held is not None and held.owner is locks.owner(reg) and held.id == reg.id
    if mine:
        return
    lock = next((f.offset for f in found if f.name == "bpf_spin_lock"), -1)
    text = f"bpf_spin_lock at off={lock} must be held for {kind}"
    if held is not None:
        text = f"held lock and object are not in the same allocation\n{text}"
    raise Rejected("graph", text, "", EINVAL)


def node_argument(w: Walk, meta: Meta, reg: Reg, regno: int, kind: str) -> None:
    """The argument that is a node: given to the list or tree, or one that is in it."""
    if kind == "bpf_rb_node" and meta.name not in ADDS:
        if not reg.type & R.NON_OWNING and not reg.ref:
            text = f"{meta.name} can only take non-owning or refcounted bpf_rb_node pointer"
            raise Rejected("graph", text, "", EINVAL)
        if in_callback(w):
            raise Rejected("graph", f"{meta.name} not allowed in rbtree cb", "", EINVAL)
    else:
        if reg.type != _OBJECT:
            text = f"arg#{regno - 1} expected pointer to allocated object"
            raise Rejected("argument-type", text, "", EINVAL)
        if not reg.ref:
            raise Rejected("graph", "allocated object must be referenced", "", EINVAL)
    if reg.m:
        text = f"R{regno} doesn't have constant offset. {kind} has to be at the constant offset"
        raise Rejected("graph", text, "", EINVAL)
    if reg.btf is None:
        raise DoesNotKnow("nodes of this kind")
    at = reg.off + reg.v
    have = fields(reg.btf.btf, reg.btf.id, w.program.kernel)
    if not any(f.name == kind and f.offset == at for f in have):
        raise Rejected("graph", f"{kind} not found at offset={at}", "", EINVAL)
    _same_type(meta, reg, at, kind)
    meta.object = reg.btf


def _same_type(meta: Meta, reg: Reg, at: int, kind: str) -> None:
    field = meta.root
    if field is None or field.target is None or reg.btf is None:
        raise DoesNotKnow("what this list or tree holds")
    if not btftype.fits(reg.btf, 0, field.target, True):
        text = f"operation on {field.name} expects arg#1 {kind} at offset={field.node}"
        text += f" in struct {field.target.name}, but arg is at offset={at}"
        text += f" in struct {reg.btf.name}"
        raise Rejected("graph", text, "", EINVAL)
    if at != field.node:
        text = f"arg#1 offset={at}, but expected {kind} at offset={field.node}"
        raise Rejected("graph", f"{text} in struct {field.target.name}", "", EINVAL)


def node(meta: Meta) -> Reg:
    """A node of the list or tree, as a pointer into its object."""
    field = meta.root
    if field is None or field.target is None:
        raise DoesNotKnow("what this list or tree holds")
    made = R.pointer(_OBJECT)
    made.btf, made.off = field.target, field.node
    return made


def not_owned(w: Walk, reg: Reg) -> None:
    """Turn a pointer into one that is good until the lock is given back (ref_set_non_owning)."""
    reg.type |= R.NON_OWNING
    if reg.btf is not None:
        found = fields(reg.btf.btf, reg.btf.id, w.program.kernel)
        if any(f.name == "bpf_refcount" for f in found):
            reg.type |= R.RCU


def give(w: Walk, meta: Meta) -> None:
    """The object of r2 belongs to the list or tree from now on
    (ref_convert_owning_non_owning)."""
    number = w.regs[2].ref

    def given(reg: Reg) -> Reg:
        made = reg.copy()
        made.ref = 0
        not_owned(w, made)
        return made

    w.change(lambda reg: reg.ref == number, given)
    w.release(number)


def compare(meta: Meta, w: Walk, caller: Frame, frame: Frame) -> None:
    """Two nodes for the function that says which comes first."""
    for regno in (1, 2):
        made = node(meta)
        not_owned(w, made)
        made.id = w.new_id() if regno == 0 else 0
        frame.regs[regno] = made
