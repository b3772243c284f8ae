"""Iterators: a program for each object of a kind, whose output is read like a file."""

from ebee.hooks import Hook, Section
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

HOOKS = (
    Hook(
        "iter", PROG_TYPES["tracing"], "5.8",
        "Runs for each task, file, socket, map element, ...; 1 asks to run again for the same.",
        sections=(
            Section("iter+", AT["trace_iter"], extra="kind of object"),
            Section("iter.s+", AT["trace_iter"], sleepable=True, extra="kind of object"),
        ),
        result=(0, 1), attach="iterator", helpers=sets.ITER,
        more={"tcp": sets.SOCKOPT, "unix": sets.SOCKOPT}, target="iterator",
        missing={"machine": "the machine has no kernel objects to walk"},
    ),
)  # fmt: skip
