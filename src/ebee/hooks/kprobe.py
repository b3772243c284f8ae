"""Kprobes: programs at any instruction of a kernel function, at its entry or return."""

from ebee.hooks import Hook, Section, pt_regs
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_MULTI, _SESSION = AT["trace_kprobe_multi"], AT["trace_kprobe_session"]


def _hook(
    name: str, since: str, doc: str, attach: str, *sections: Section,
    result: tuple[int, int] | None = None,
) -> Hook:  # fmt: skip
    return Hook(
        name, PROG_TYPES["kprobe"], since, doc, sections, "pt_regs", pt_regs.FIELDS,
        result=result, attach=attach, helpers=sets.KPROBE,
        missing={"machine": "the machine has no kernel functions to probe"},
    )  # fmt: skip


HOOKS = (
    _hook(
        "kprobe", "4.1",
        "Runs when the kernel comes to an instruction, or returns from a function.", "kprobe",
        Section("kprobe+", extra="function[+offset]"),
        Section("kretprobe+", extra="function", on_return=True),
    ),
    _hook(
        "ksyscall", "4.1", "Runs at the entry of, or return from, a system call.", "ksyscall",
        Section("ksyscall+", extra="system call"),
        Section("kretsyscall+", extra="system call", on_return=True),
    ),
    _hook(
        "kprobe.multi", "5.18", "Runs at the entry of, or return from, many functions at once.",
        "kprobe_multi",
        Section("kprobe.multi+", _MULTI, extra="pattern of functions"),
        Section("kretprobe.multi+", _MULTI, extra="pattern of functions", on_return=True),
    ),
    _hook(
        "kprobe.session", "6.10",
        "Runs at both entry and return of many functions; 1 at the entry skips the return.",
        "kprobe_multi", Section("kprobe.session+", _SESSION, extra="pattern of functions"),
        result=(0, 1),
    ),
)  # fmt: skip
