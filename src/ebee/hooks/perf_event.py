"""Perf events: a program for each sample of a hardware or software counter."""

from ebee.hooks import CtxField, Hook, Section, pt_regs
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import PROG_TYPES

HOOKS = (
    Hook(
        "perf_event", PROG_TYPES["perf_event"], "4.9",
        "Runs each time the event's counter has reached its period.",
        sections=(Section("perf_event"),),
        context="bpf_perf_event_data",
        fields=(
            *pt_regs.WHOLE,
            CtxField("sample_period", 168, 8),
            CtxField("addr", 176, 8),
        ),
        attach="perf_event", helpers=sets.PERF_EVENT,
        missing={"machine": "the machine has no performance counters"},
    ),
)  # fmt: skip
