"""Pointers to what the kernel's or the program's types describe: what a program may load and store
through them, and how far what it loads is trusted (check_ptr_to_btf_access)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.btf import Btf, Struct
from ebee.verifier.core import btftype, special, tnum
from ebee.verifier.core import reg as R
from ebee.verifier.core.btftype import BtfType, Found
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.reg import Reg

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

_SAFE = R.ALLOC | R.TRUSTED | R.NON_OWNING  # BPF_REG_TRUSTED_MODIFIERS
SOCKETS = {
    R.SOCKET: "sock", R.SOCK_COMMON: "sock_common", R.TCP_SOCK: "tcp_sock", R.MAP: "bpf_map",
}  # fmt: skip
"""Types that stand for a kernel's struct where one is wanted (reg2btf_ids)."""

# What struct_ops programs may store into, by member (net/ipv4/bpf_tcp_ca.c and others).
_WRITABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "tcp_congestion_ops": {
        "sock": ("sk_pacing_rate", "sk_pacing_status"),
        "inet_connection_sock": ("icsk_ca_priv", "icsk_ack.pending"),
        "tcp_sock": ("snd_cwnd", "snd_cwnd_cnt", "snd_cwnd_stamp", "snd_ssthresh", "ecn_flags",
                     "app_limited"),
    },
}  # fmt: skip


def trusted(reg: Reg) -> bool:
    """Whether a pointer is surely good: it holds a reference, or came from a good place
    (is_trusted_reg)."""
    if reg.ref:
        return True
    if reg.type & R.BASE in SOCKETS and not reg.type & ~R.BASE & ~_SAFE:
        return True
    unsafe = reg.type & ~R.BASE & ~_SAFE
    return bool(reg.type & _SAFE) and not unsafe


def rcu(reg: Reg) -> bool:
    """Whether a pointer is good as long as RCU is read-locked."""
    return bool(reg.type & R.RCU)


def access(w: Walk, reg: Reg, regno: int, off: int, size: int, write: bool, value: int) -> Reg:
    """A load or store; the register that a load gives."""
    to = reg.btf
    assert to is not None
    program = w.program
    kernel = to.btf is not program.btf
    if not program.gpl and kernel:
        text = f"Cannot access kernel 'struct {to.name}' from non-GPL compatible program"
        raise Rejected("needs-gpl", text, "", EINVAL)
    head = f"R{regno} is ptr_{to.name}"
    if off < 0:
        raise Rejected("btf-access", f"{head} invalid negative access: off={off}")
    if reg.m or reg.v:
        place = f"off={off}, var_off={tnum.text(reg.v, reg.m)}"
        raise Rejected("btf-access", f"{head} invalid variable offset: {place}")
    if reg.type & R.USER:
        raise Rejected("btf-access", f"{head} access user memory: off={off}")
    if reg.type & R.PERCPU:
        raise Rejected("btf-access", f"{head} access percpu memory: off={off}")
    if write:
        _store(w, reg, to, off, size)
        return R.UNKNOWN
    found = _reach(reg, to, off, size, w)
    if found.type is None or reg.type & R.ALLOC:
        return R.UNKNOWN
    return loaded(w, reg, to, found)


def _reach(reg: Reg, to: BtfType, off: int, size: int, w: Walk) -> Found:
    if reg.type & R.ALLOC:
        for field in special.fields(to.btf, to.id, w.program.kernel):
            if off < field.offset + field.size and field.offset < off + size:
                raise Rejected("special-field", f"direct access to {field.name} is disallowed")
    return btftype.reach(to, off, size, not reg.type & R.ALLOC)


def _store(w: Walk, reg: Reg, to: BtfType, off: int, size: int) -> None:
    only = Rejected("read-only", "only read is supported")
    if reg.type & R.UNTRUSTED:
        raise only
    if reg.type & R.ALLOC:
        if reg.type & (R.BASE | R.ALLOC) != R.BTF | R.ALLOC:
            raise only
        _reach(reg, to, off, size, w)
        return None
    target = w.program.target
    if w.program.hook.name == "struct_ops" and target is not None:
        return _store_ops(target.struct, to, off, size)
    if to.name in ("nf_conn___init", "nf_conn"):
        return _store_connection(w, off, size)
    raise only


def _store_connection(w: Walk, off: int, size: int) -> None:
    """A store into a tracked connection: its mark (nf_conntrack_btf_struct_access)."""
    t = w.struct("nf_conn").type
    assert isinstance(t, Struct)
    mark = next((m for m in t.members if m.name == "mark"), None)
    if mark is None or off != mark.offset // 8:
        raise Rejected("read-only", f"no write support to nf_conn at off {off}")
    if size > 4:
        text = f"write access at off {off} with size {size} beyond the member of nf_conn ended at"
        raise Rejected("read-only", f"{text} {off + 4}")


def _store_ops(struct: str, to: BtfType, off: int, size: int) -> None:
    """A store by a program of a struct_ops struct, as its subsystem allows."""
    if struct == "bpf_dummy_ops":
        _store_dummy(to, off, size)
        return
    allowed = _WRITABLE.get(struct)
    if allowed is None:
        raise DoesNotKnow(f"what programs of {struct} may store into")
    if to.name != "tcp_sock":
        raise Rejected("read-only", "only read is supported")
    for name, members in allowed.items():
        for member in members:
            place = _place(to.btf, name, member)
            if place is not None and place[0] <= off and off + size <= place[0] + place[1]:
                return
    starts = [p[0] for n, ms in allowed.items() for m in ms if (p := _place(to.btf, n, m))]
    if off not in starts:
        raise Rejected("read-only", f"no write support to tcp_sock at off {off}")
    text = f"write access at off {off} with size {size} beyond the member of tcp_sock"
    raise Rejected("read-only", text)


def _store_dummy(to: BtfType, off: int, size: int) -> None:
    """A store by a program that only tests run: their state (bpf_dummy_ops_btf_struct_access)."""
    if to.name != "bpf_dummy_ops_state":
        raise Rejected("read-only", "only access to bpf_dummy_ops_state is supported")
    if off + size > to.size:
        raise Rejected("btf-access", f"write access at off {off} with size {size}")


def _place(btf: Btf, struct: str, path: str) -> tuple[int, int] | None:
    """Offset and size of a member (in bytes, whole ones for bitfields)."""
    offset, at = 0, btftype.struct(btf, struct)
    size = 0
    for name in path.split("."):
        if at is None or not isinstance(at.type, Struct):
            return None
        member = next((m for m in at.type.members if m.name == name), None)
        if member is None:
            return None
        offset += member.offset // 8
        size = btf.sizeof(member.type)
        at = btftype.of(btf, member.type)
    return offset, size


# --- what a load gives ---------------------------------------------------------------------------


def loaded(w: Walk, reg: Reg, to: BtfType, found: Found) -> Reg:
    """The pointer in a member, trusted as far as its owner and the member are."""
    assert found.type is not None
    made = R.pointer(R.BTF | _trust(w, reg, to, found))
    made.btf = found.type
    if made.type & R.NULLABLE:
        made.id = w.new_id()
    return made


def _trust(w: Walk, reg: Reg, to: BtfType, found: Found) -> int:
    flags = found.flags
    if reg.type & R.UNTRUSTED:
        return R.UNTRUSTED
    if not trusted(reg) and not rcu(reg):
        return flags & ~_CLEARED
    if _listed(to, found, "__safe_trusted"):
        return flags | R.TRUSTED
    if _listed(to, found, "__safe_trusted_or_null"):
        return flags | R.TRUSTED | R.NULLABLE
    if not w.in_rcu or reg.type & R.NULLABLE:
        return R.UNTRUSTED
    if _listed(to, found, "__safe_rcu"):
        return flags | R.RCU
    or_null = _listed(to, found, "__safe_rcu_or_null")
    if flags & R.RCU or or_null:
        flags |= R.RCU | R.NULLABLE
        return flags & ~R.UNTRUSTED if or_null else flags
    if flags & (R.PERCPU | R.USER):
        return flags
    return flags & ~_CLEARED


_CLEARED = R.TRUSTED | R.RCU | R.ALLOC | R.NON_OWNING


def _listed(to: BtfType, found: Found, suffix: str) -> bool:
    """Whether the kernel's BTF names the member as safe (btf_nested_type_is_trusted): there is a
    struct of the owner's name with the suffix, which has a member of that name and type."""
    safe = btftype.struct(to.btf, to.name + suffix)
    if safe is None or not isinstance(safe.type, Struct):
        return False
    from ebee.btf import Ptr

    for member in safe.type.members:
        if member.name == found.field:
            pointer = btftype.of(to.btf, member.type).type
            return isinstance(pointer, Ptr) and btftype.of(to.btf, pointer.type) is found.type
    return False
