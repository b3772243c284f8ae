"""Calls of kernel functions: which one, and its prototype."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.btf import Func, FuncProto
from ebee.helpers.kfuncs import Kfunc, all_kfuncs, may_call
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected

if TYPE_CHECKING:
    from ebee.verifier.core.code import Op
    from ebee.verifier.core.program import Program

DEVICE_BOUND = frozenset((
    "bpf_xdp_metadata_rx_timestamp", "bpf_xdp_metadata_rx_hash", "bpf_xdp_metadata_rx_vlan_tag",
))  # fmt: skip
"""Metadata of received frames (xdp_metadata_kfunc_ids): of programs bound to a device."""

DEV_BOUND_ONLY = 1 << 6  # BPF_F_XDP_DEV_BOUND_ONLY


def called(program: Program, op: Op) -> tuple[str, FuncProto]:
    """The function that an instruction calls, and its prototype."""
    if op.off:
        raise DoesNotKnow("functions of kernel modules")
    if not program.gpl:
        text = "cannot call kernel function from non-GPL compatible program"
        raise Rejected("needs-gpl", text, "", EINVAL)
    btf = program.types()
    found = btf.type(op.imm) if 0 < op.imm < len(btf) else None
    if not isinstance(found, Func):
        raise Rejected("kfunc", f"kernel btf_id {op.imm} is not a function", "", EINVAL)
    proto = btf.type(found.type)
    assert isinstance(proto, FuncProto)
    if found.name in DEVICE_BOUND:
        if not program.flags & DEV_BOUND_ONLY:
            text = "metadata kfuncs require device-bound program"
            raise Rejected("kfunc", text, "a flag of loading, with the device", EINVAL)
        raise DoesNotKnow(f"what the device says of {found.name}")
    return found.name, proto


__all__ = ["Kfunc", "all_kfuncs", "called", "may_call"]
