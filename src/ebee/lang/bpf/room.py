"""Room in packets: `ctx.push(n)` makes some between the Ethernet header and what follows, and
`ctx.pop(n)` takes it away. Both by what the hook offers, with the same outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ebee import bpf
from ebee.lang.bpf.contexts import SkbContext, XdpContext
from ebee.lang.bpf.packets import Ethernet
from ebee.lang.bpf.programs import func
from ebee.types import i32, u32

MAC = 1
"""BPF_ADJ_ROOM_MAC."""


@func
def xdp_push(ctx: XdpContext, size: u32) -> bool:
    """More room in front, and the Ethernet header moved there."""
    if bpf.xdp_adjust_head(ctx, -i32(size)) != 0:
        return False
    return xdp_move(ctx, size, u32(0))


@func
def xdp_pop(ctx: XdpContext, size: u32) -> bool:
    """The Ethernet header moved over what goes, and less room in front."""
    if not xdp_move(ctx, u32(0), size):
        return False
    return bool(bpf.xdp_adjust_head(ctx, i32(size)) == 0)


@func
def xdp_move(ctx: XdpContext, old: u32, new: u32) -> bool:
    """Move the Ethernet header from one place to another, which may overlap."""
    source, target = ctx.packet(), ctx.packet()
    if not source.skip(old) or not target.skip(new):
        return False
    there, here = source.take(Ethernet), target.take(Ethernet)
    if there is None or here is None:
        return False
    kept = Ethernet(destination=there.destination, source=there.source, type=there.type)
    here.destination = kept.destination
    here.source = kept.source
    here.type = kept.type
    return True


@func
def skb_push(ctx: SkbContext, size: u32) -> bool:
    """Only for packets of IP. Since Linux 5.2."""
    return bool(bpf.skb_adjust_room(ctx, i32(size), MAC, 0) == 0)


@func
def skb_pop(ctx: SkbContext, size: u32) -> bool:
    """Only for packets of IP. Since Linux 5.2."""
    return bool(bpf.skb_adjust_room(ctx, -i32(size), MAC, 0) == 0)


ROOM: dict[str, dict[str, Callable[..., Any]]] = {
    "push": {"xdp": xdp_push, "tc": skb_push, "tcx": skb_push},
    "pop": {"xdp": xdp_pop, "tc": skb_pop, "tcx": skb_pop},
}
"""Method of a context -> hook -> function."""
