"""Helpers that walk stacks and branch records (kernel/bpf/stackmap.c, kernel/trace)."""

from ebee.helpers import Helper

_NO_STACKS = {"machine": "needs a traced task's stack: the machine has none"}
_NO_BRANCHES = {"machine": "needs the branch records of a processor"}

HELPERS = (
    Helper(
        27, "get_stackid", "ctx: ctx, map: map[stack_trace], flags: u64 -> long", "4.6",
        "Put the kernel or (BPF_F_USER_STACK) user stack into a map of stacks; the result is its "
        "id.", gpl=True, gpl_except=("perf_event",), missing=_NO_STACKS,
    ),
    Helper(
        67, "get_stack", "ctx: ctx, buf: mem_out[size], size: size0, flags: u64 -> long", "4.18",
        "Copy the kernel or (BPF_F_USER_STACK) user stack; the result is the number of bytes.",
        gpl=True, missing=_NO_STACKS,
    ),
    Helper(
        119, "read_branch_records",
        "ctx: ctx[bpf_perf_event_data], buf: mem_rw[size]?, size: size0, flags: u64 -> long",
        "5.7", "Copy the branch records that came with a perf event, or ask for their size.",
        gpl=True, missing=_NO_BRANCHES,
    ),
    Helper(
        176, "get_branch_snapshot", "entries: mem_out[size], size: size0, flags: u64 -> long",
        "5.16", "Stop the processor's branch recording and copy it.",
        gpl=True, missing=_NO_BRANCHES,
    ),
)  # fmt: skip
