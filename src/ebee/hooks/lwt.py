"""Lightweight tunnels: programs of a route, for packets that take it."""

from ebee.hooks import Hook, Section, skb
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import PROG_TYPES

_FIELDS = skb.fields(more="mark data data_end", write="mark priority cb")
_RETURNS = {"BPF_OK": 0, "BPF_DROP": 2, "BPF_REDIRECT": 7, "BPF_LWT_REROUTE": 128}


def _hook(name: str, since: str, doc: str, helpers: frozenset[str]) -> Hook:
    return Hook(
        name, PROG_TYPES[name], since, doc, (Section(name),), "__sk_buff", _FIELDS,
        returns=_RETURNS, attach="route", helpers=helpers,
        missing={"machine": "the machine has no routes"},
    )  # fmt: skip


HOOKS = (
    _hook("lwt_in", "4.10", "For packets received over the route.", sets.LWT_IN),
    _hook("lwt_out", "4.10", "For packets sent over the route, before routing.", sets.LWT_OUT),
    _hook(
        "lwt_xmit", "4.10", "For packets sent over the route, just before the device; may change "
        "and redirect them.", sets.LWT_XMIT,
    ),
    _hook(
        "lwt_seg6local", "4.18", "An action of IPv6 segment routing (End.BPF).", sets.LWT_SEG6LOCAL
    ),
)  # fmt: skip
