"""Trampolines: programs at the entry or exit of kernel functions and of other eBPF programs, with
typed arguments; and functions of eBPF programs that are replaced."""

from ebee.hooks import Hook, Section
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_NO_FUNCTIONS = {"machine": "the machine has no kernel functions to trace"}


def _hook(
    name: str, attach_type: str, since: str, doc: str, result: tuple[int, int] | None
) -> Hook:
    multi = name.endswith(".multi")
    return Hook(
        name, PROG_TYPES["tracing"], since, doc,
        tuple(
            Section(
                f"{name}{s}+", AT[attach_type], sleepable=bool(s),
                extra="pattern of functions" if multi else "function",
                on_return=name.startswith(("fexit", "fmod_ret")),
            )
            for s in ("", ".s")
        ),
        result=result, attach="tracing_multi" if multi else "tracing", helpers=sets.TRAMPOLINE,
        target=None if multi else "function", missing=_NO_FUNCTIONS,
    )  # fmt: skip


HOOKS = (
    _hook("fentry", "trace_fentry", "5.5", "At the entry of a function.", (0, 0)),
    _hook(
        "fexit", "trace_fexit", "5.5", "At the exit of a function, with arguments and result.",
        (0, 0),
    ),
    _hook(
        "fmod_ret", "modify_return", "5.7",
        "Before a function that allows it: a result other than 0 is returned in its place.", None,
    ),
    _hook(
        "fsession", "trace_fsession", "7.0",
        "At both entry and exit of a function; 1 at the entry skips the exit.", (0, 1),
    ),
    _hook("fentry.multi", "trace_fentry_multi", "7.2", "At the entry of many functions.", (0, 0)),
    _hook("fexit.multi", "trace_fexit_multi", "7.2", "At the exit of many functions.", (0, 0)),
    _hook(
        "fsession.multi", "trace_fsession_multi", "7.2",
        "At both entry and exit of many functions.", (0, 1),
    ),
    Hook(
        "freplace", PROG_TYPES["ext"], "5.6",
        "Replaces a global function of a loaded eBPF program; has that program's context and "
        "helpers.",
        sections=(Section("freplace+", extra="function"),),
        attach="freplace", target="function",
        missing={"machine": "the machine loads whole objects and replaces no functions",
             "verifies": "what it may do is what the function it replaces may"},
    ),
)  # fmt: skip
