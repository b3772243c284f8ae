"""Tracepoints of the kernel: with the record that trace prints, raw, or typed by BTF."""

from ebee.hooks import Hook, Section
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_NO_KERNEL = {"machine": "the machine has no kernel tracepoints"}


def _both(*names: str, extra: str, attach_type: int | None = None) -> tuple[Section, ...]:
    """Section names and their sleepable twins."""
    return tuple(
        Section(f"{name}{s}+", attach_type, sleepable=bool(s), extra=extra)
        for name in names
        for s in ("", ".s")
    )


HOOKS = (
    Hook(
        "tracepoint", PROG_TYPES["tracepoint"], "4.7",
        "Gets the tracepoint's record as its format file describes it.",
        sections=_both("tracepoint", "tp", extra="category/name"),
        attach="tracepoint", helpers=sets.TRACEPOINT, missing=_NO_KERNEL,
    ),
    Hook(
        "raw_tracepoint", PROG_TYPES["raw_tracepoint"], "4.17",
        "Gets the tracepoint's arguments, each as a u64.",
        sections=_both("raw_tracepoint", "raw_tp", extra="name"),
        context="bpf_raw_tracepoint_args",
        attach="raw_tracepoint", helpers=sets.TRACEPOINT, missing=_NO_KERNEL,
    ),
    Hook(
        "raw_tracepoint_writable", PROG_TYPES["raw_tracepoint_writable"], "5.2",
        "As raw_tracepoint, and may write into the buffer that some tracepoints offer.",
        sections=(Section("raw_tracepoint.w+", extra="name"), Section("raw_tp.w+", extra="name")),
        context="bpf_raw_tracepoint_args",
        attach="raw_tracepoint", helpers=sets.TRACEPOINT, missing=_NO_KERNEL,
    ),
    Hook(
        "tp_btf", PROG_TYPES["tracing"], "5.5",
        "Gets the tracepoint's arguments as typed kernel pointers.",
        sections=_both("tp_btf", extra="name", attach_type=AT["trace_raw_tp"]),
        attach="raw_tracepoint", helpers=sets.TP_BTF, target="tracepoint", missing=_NO_KERNEL,
    ),
)  # fmt: skip
