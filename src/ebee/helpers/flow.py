"""Helpers that change the flow of control (kernel/bpf/core.c, bpf_iter.c, helpers.c)."""

from ebee.helpers import Helper

_NO_TIMERS = {"machine": "needs timers, which the machine does not run yet"}

HELPERS = (
    Helper(
        12, "tail_call", "ctx: ctx, prog_array_map: map[prog_array], index: u32 -> long", "4.2",
        "Go on in another program of the same kind and never come back, at most 33 times; when "
        "there is none under the index, continue behind the call.",
        "engine:tail_call", moves_packet=True,
    ),
    Helper(
        169, "timer_init", "timer: timer, map: map, flags: u64 -> long", "5.15",
        "Prepare a timer inside a value of this map; flags name the clock (CLOCK_MONOTONIC, "
        "CLOCK_REALTIME, CLOCK_BOOTTIME).", gpl=True, missing=_NO_TIMERS,
    ),
    Helper(
        170, "timer_set_callback", "timer: timer, callback_fn: func -> long", "5.15",
        "Say what runs when the timer fires.", gpl=True, missing=_NO_TIMERS,
    ),
    Helper(
        171, "timer_start", "timer: timer, nsecs: u64, flags: u64 -> long", "5.15",
        "Fire in that many nanoseconds, or with BPF_F_TIMER_ABS at that time.",
        gpl=True, missing=_NO_TIMERS,
    ),
    Helper(
        172, "timer_cancel", "timer: timer -> long", "5.15",
        "Stop a timer and wait for a callback that runs: 1 if it was armed, 0 if not.",
        gpl=True, missing=_NO_TIMERS,
    ),
    Helper(
        181, "loop",
        "nr_loops: scalar, callback_fn: func, callback_ctx: stack?, flags: u64 -> long", "5.17",
        "Call back with 0, 1, 2, ... until the callback returns 1; the result counts the calls. "
        "More than 2^23 calls: -E2BIG, unknown flags: -EINVAL.", "engine:loop",
    ),
    Helper(
        93, "spin_lock", "lock: spin_lock -> void", "5.1",
        "Take the lock inside a map value. One at a time, and no calls while it is held.",
        "ebee.helpers.flow_ops:spin_lock",
    ),
    Helper(
        94, "spin_unlock", "lock: spin_lock -> void", "5.1",
        "Release the lock inside a map value.", "ebee.helpers.flow_ops:spin_unlock",
    ),
)  # fmt: skip
