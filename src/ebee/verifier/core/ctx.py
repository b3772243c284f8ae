"""The context: which members a program may load or store, by the hook's declaration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import btfctx
from ebee.verifier.core import reg as R
from ebee.verifier.core.errors import DoesNotKnow, Rejected
from ebee.verifier.core.privileges import may_access
from ebee.verifier.core.reg import Reg

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

KINDS = {
    "packet": R.PACKET, "packet_end": R.PACKET_END, "packet_meta": R.META,
    "flow_keys": R.FLOW_KEYS, "socket": R.SOCKET, "sock_common": R.SOCK_COMMON,
}  # fmt: skip
"""What the kind of a member says of the register that it is loaded into."""

BARE = {
    "tracepoint": (8, 8192),  # common fields are hidden; PERF_MAX_TRACE_SIZE
    "raw_tracepoint": (0, 96),  # MAX_BPF_FUNC_ARGS values
    "syscall": (0, 0xFFFF),
}
"""Contexts without declared members: the bytes that may be accessed, aligned."""

WRITABLE = frozenset(("syscall",))


def access(w: Walk, off: int, size: int, write: bool, signed: bool) -> Reg:
    """A load or store; the register that is loaded."""
    program = w.program
    hook = program.hook
    refused = Rejected("context-access", f"invalid bpf_context access off={off} size={size}")
    bare = BARE.get(hook.name)
    if bare is not None:
        first, end = bare
        if not first <= off < end or off % size or (write and hook.name not in WRITABLE):
            raise refused
        return R.UNKNOWN
    if hook.name == "raw_tracepoint_writable":
        if off % size or not 0 <= off < 96 or write or (off == 0 and size != 8):
            raise refused
        return R.pointer(R.TP_BUFFER) if off == 0 else R.UNKNOWN
    if program.target is not None:
        return btfctx.access(w, program.target, off, size, write)
    if not hook.fields:
        raise DoesNotKnow(f"the context of {hook.name} programs")
    member = hook.field_at(off, size, write, program.attach_type)
    if member is None or not may_access(hook, member.name, write, w.profile.privileges):
        raise refused
    if member.kind == "scalar" or write:
        return R.UNKNOWN
    name = member.kind.removesuffix("?")
    if hook.context == "bpf_nf_ctx" and name == "btf":
        made = R.pointer(R.BTF | R.TRUSTED)
        made.btf = w.struct({"state": "nf_hook_state", "skb": "sk_buff"}[member.name])
        return made
    if name not in KINDS:
        raise DoesNotKnow(f"what {member.name} of the context points to")
    if signed:
        raise refused
    made = R.pointer(KINDS[name])
    if member.kind.endswith("?"):
        made.type |= R.NULLABLE
        made.id = w.new_id()
    return made
