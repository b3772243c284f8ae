# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Bodies of the redirect helpers: restricted Python. The CPU remembers the target until the
program has returned XDP_REDIRECT, then the machine sends the packet there."""

from ebee.abi.cpu import REDIRECT_IFINDEX, REDIRECT_MAP, REDIRECT_NONE, Cpu
from ebee.abi.map import MapHeader
from ebee.native import native
from ebee.types import i64, ptr, u32, u64

XDP_ABORTED, XDP_REDIRECT = 0, 4
ACTIONS = 3
"""Bits of the flags of redirect_map: what it returns when there is nothing under the key."""

BPF_F_BROADCAST = 1 << 3
BPF_F_EXCLUDE_INGRESS = 1 << 4


@native
def redirect(cpu: ptr[Cpu], ifindex: u32, flags: u64) -> i64:
    if flags != 0:
        return XDP_ABORTED
    cpu.redirect_kind = REDIRECT_IFINDEX
    cpu.redirect_ifindex = ifindex
    cpu.redirect_flags = 0
    return XDP_REDIRECT


@native
def redirect_map(
    cpu: ptr[Cpu], m: ptr[MapHeader], key: u64, found: bool, flags: u64, known: u64
) -> i64:
    """What the `redirect` operation of every map type does, once it knows whether there is
    something under the key (`found`); `known` are the flags of the type (BPF_F_BROADCAST |
    BPF_F_EXCLUDE_INGRESS for devmaps, otherwise 0)."""
    if flags & ~(known | ACTIONS) != 0:
        return XDP_ABORTED
    if not found and flags & BPF_F_BROADCAST == 0:
        cpu.redirect_kind = REDIRECT_NONE
        return i64(flags & ACTIONS)
    cpu.redirect_kind = REDIRECT_MAP
    cpu.redirect_map = m
    cpu.redirect_key = key
    cpu.redirect_flags = flags & known
    return XDP_REDIRECT
