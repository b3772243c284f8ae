"""Tables of kernel functions that are written in eBPF: TCP congestion control, scheduling, ..."""

from ebee.hooks import Hook, Section
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import PROG_TYPES

HOOKS = (
    Hook(
        # The attach type is the index of the member in its struct: found when the map is made.
        "struct_ops", PROG_TYPES["struct_ops"], "5.6",
        "One function of a struct_ops map; the map is what is attached.",
        sections=(
            Section("struct_ops+", extra="member"),
            Section("struct_ops.s+", sleepable=True, extra="member"),
        ),
        attach="struct_ops", helpers=sets.STRUCT_OPS,
        more={"tcp_congestion_ops": sets.TCP_CONGESTION}, target="struct",
        missing={"machine": "the machine has no kernel to extend"},
    ),
)  # fmt: skip
