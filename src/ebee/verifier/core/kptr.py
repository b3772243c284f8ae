"""Kernel pointers in maps: what may be stored there, and what a load or an exchange gives
(check_map_kptr_access, map_kptr_match_type, process_kptr_func)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import btftype, locks, mem
from ebee.verifier.core import reg as R
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.special import REFS, Field

if TYPE_CHECKING:
    from ebee.verifier.core.args import Call
    from ebee.verifier.core.code import Op
    from ebee.verifier.core.walk import Walk

PLAIN, OWNED, PERCPU, USER = "kptr_untrusted", "kptr", "percpu_kptr", "uptr"
_SHOWN = {PLAIN: "kptr", OWNED: "kptr", PERCPU: "percpu_kptr", USER: "uptr"}
UNDER_RCU = frozenset((
    "prog_test_ref_kfunc", "cgroup", "bpf_cpumask", "task_struct", "bpf_crypto_ctx",
))  # fmt: skip
"""The kernel's structs that are freed when RCU allows it (rcu_protected_types)."""


def shown(field: Field) -> str:
    """A kind of field as the kernel calls it (btf_field_type_name)."""
    return _SHOWN.get(field.name, field.name)


def _kernel(w: Walk, field: Field) -> bool:
    assert field.target is not None
    return field.target.btf is not w.program.btf


def _rcu_safe(w: Walk, field: Field) -> bool:
    if field.name == PERCPU:
        return True
    assert field.target is not None
    protected = not _kernel(w, field) or field.target.name in UNDER_RCU
    return field.name == OWNED and protected


def access(
    w: Walk, op: Op, reg: Reg, field: Field, at: int, size: int, write: bool, value: int
) -> Reg:
    """A load or store of a pointer in a map's value, at offset `at` of it."""
    if reg.m:
        raise Rejected("kptr", "kptr access cannot have variable offset")
    if at != field.offset:
        text = f"kptr access misaligned expected={field.offset} off={at}"
        raise Rejected("kptr", text)
    if size != 8:
        raise Rejected("kptr", "kptr access size must be BPF_DW")
    if op.kind == "atomic":
        raise Rejected("kptr", "kptr in map can only be accessed using BPF_MEM instruction mode")
    if not write:
        return _load(w, field)
    if field.name == USER:
        raise Rejected("kptr", "store to uptr disallowed")
    if field.name in (OWNED, PERCPU):
        raise Rejected("kptr", "store to referenced kptr disallowed")
    if value < 0:
        if op.imm:
            text = f"BPF_ST imm must be 0 when storing to kptr at off={field.offset}"
            raise Rejected("kptr", text)
        return R.UNKNOWN
    stored = w.regs[value]
    if stored.is_null:
        w.precise(value)
    else:
        match(w, field, stored, value)
    return R.UNKNOWN


def _load(w: Walk, field: Field) -> Reg:
    if field.target is None:
        raise DoesNotKnow("the type of this pointer")
    if field.name == USER:
        made = R.pointer(R.MEM | R.NULLABLE)
        made.range = field.target.size
        made.id = w.new_id()
        return made
    flags = R.NULLABLE
    if _rcu_safe(w, field) and w.in_rcu:
        flags |= R.RCU
        if field.name == PERCPU:
            flags |= R.PERCPU
        elif not _kernel(w, field):
            flags |= R.ALLOC
    else:
        flags |= R.UNTRUSTED
    made = R.pointer(R.BTF | flags)
    made.btf, made.id = field.target, w.new_id()
    return made


def match(w: Walk, field: Field, reg: Reg, regno: int) -> None:
    """A pointer may be stored in a field; Rejected when its type does not fit."""
    target = field.target
    if target is None:
        raise DoesNotKnow("the type of this pointer")
    allowed = R.NULLABLE
    if reg.btf is not None and reg.btf.btf is not w.program.btf:
        allowed |= R.TRUSTED | R.RCU
        if field.name == PLAIN:
            allowed |= R.UNTRUSTED
    else:
        allowed |= R.ALLOC | (R.PERCPU if field.name == PERCPU else 0)
    fits = reg.type & R.BASE == R.BTF and not reg.type & ~R.BASE & ~allowed
    fits &= (field.name == PERCPU) == bool(reg.type & R.PERCPU)
    if fits:
        mem.check_moved(reg, regno, fixed_fine=True)
        assert reg.btf is not None
        flexible = not reg.type & R.ALLOC
        fits = btftype.fits(reg.btf, reg.off, target, field.name != PLAIN, flexible)
    if not fits:
        name = reg.btf.name if reg.btf is not None and reg.type & R.BASE == R.BTF else ""
        text = f"invalid kptr access, R{regno} type={R.type_name(reg.type)}{name}"
        text += f" expected=ptr_{target.name}"
        if field.name == PLAIN:
            text += f" or untrusted_ptr_{target.name}"
        raise Rejected("kptr", text, "", EINVAL)


def find(w: Walk, reg: Reg, regno: int) -> Field:
    """The field that an exchange is to change."""
    if reg.m:
        text = f"R{regno} doesn't have constant offset. kptr has to be at the constant offset"
        raise Rejected("kptr", text, "", EINVAL)
    if reg.map is not None and reg.map.btf is None:
        text = f"map '{reg.map.name}' has to have BTF in order to use bpf_kptr_xchg"
        raise Rejected("kptr", text, "", EINVAL)
    fields = [f for f in locks.fields_of(w, reg) if f.name in REFS]
    if not fields:
        raise Rejected("kptr", f"R{regno} has no valid kptr", "", EINVAL)
    at = reg.off + reg.v
    found = next((f for f in fields if f.offset == at), None)
    if found is None:
        raise Rejected("kptr", f"off={at} doesn't point to kptr")
    if found.name not in (OWNED, PERCPU):
        raise Rejected("kptr", f"off={at} kptr isn't referenced kptr")
    return found


def exchanged(w: Walk, call: Call) -> Reg:
    """What was in the field, which the program now holds."""
    field = call.field
    assert field is not None
    assert field.target is not None
    made = R.pointer(R.BTF)
    made.btf = field.target
    if not _kernel(w, field):
        made.type |= R.ALLOC
        if field.name == PERCPU:
            made.type |= R.PERCPU
    return made


def keep_under_rcu(w: Walk, number: int) -> None:
    """A per-CPU object that was put into a map stays readable while RCU is read-locked."""

    def kept(reg: Reg) -> Reg:
        if reg.ref != number or not reg.type & R.PERCPU or not reg.type & R.ALLOC:
            return reg
        made = reg.copy()
        made.ref, made.type = 0, reg.type & ~R.ALLOC | R.RCU
        return made

    w.change(lambda reg: reg.ref == number, kept)
