"""Programs that make system calls; they run when they are asked to."""

from ebee.hooks import Hook, Section
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import PROG_TYPES

HOOKS = (
    Hook(
        "syscall", PROG_TYPES["syscall"], "5.14",
        "Runs once per BPF_PROG_TEST_RUN, with a context of the caller's making; used by loaders.",
        sections=(Section("syscall", sleepable=True),),
        helpers=sets.SYSCALL,
        missing={
            "machine": "acts on a kernel: the machine has none",
            "linux": "nothing to attach: it is run with test_run",
        },
    ),
)  # fmt: skip
