"""Uprobes: programs at any instruction of a user program or library, and at its USDT markers."""

from ebee.hooks import Hook, Section, pt_regs
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_MULTI, _SESSION = AT["trace_uprobe_multi"], AT["trace_uprobe_session"]
_PLACE, _PLACES = "path:function[+offset]", "path:pattern of functions"


def _pair(
    name: str, extra: str, attach_type: int | None = None, on_return: bool = False
) -> tuple[Section, ...]:
    """A section name and its sleepable twin."""
    return tuple(
        Section(f"{name}{s}+", attach_type, sleepable=bool(s), extra=extra, on_return=on_return)
        for s in ("", ".s")
    )


def _hook(
    name: str, since: str, doc: str, attach: str, sections: tuple[Section, ...],
    result: tuple[int, int] | None = None,
) -> Hook:  # fmt: skip
    return Hook(
        name, PROG_TYPES["kprobe"], since, doc, sections, "pt_regs", pt_regs.FIELDS,
        result=result, attach=attach, helpers=sets.KPROBE,
        missing={"machine": "the machine runs no user programs to probe"},
    )  # fmt: skip


HOOKS = (
    _hook(
        "uprobe", "4.3", "Runs when a process comes to an instruction, or returns from a function.",
        "uprobe", _pair("uprobe", _PLACE) + _pair("uretprobe", _PLACE, on_return=True),
    ),
    _hook(
        "uprobe.multi", "6.6", "Runs at the entry of, or return from, many functions at once.",
        "uprobe_multi",
        _pair("uprobe.multi", _PLACES, _MULTI)
        + _pair("uretprobe.multi", _PLACES, _MULTI, on_return=True),
    ),
    _hook(
        "uprobe.session", "6.13",
        "Runs at both entry and return of functions; 1 at the entry skips the return.",
        "uprobe_multi", _pair("uprobe.session", _PLACES, _SESSION), result=(0, 1),
    ),
    _hook(
        # With uprobe.multi in the kernel, libbpf attaches all markers at once.
        "usdt", "4.20", "Runs at a marker (USDT) that a program's author has put into it.", "usdt",
        _pair("usdt", "path:provider:name"),
    ),
)  # fmt: skip
