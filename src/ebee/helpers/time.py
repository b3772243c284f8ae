"""Helpers that tell the time (kernel/bpf/helpers.c)."""

from ebee.helpers import Helper

_OPS = "ebee.helpers.time_ops"

HELPERS = (
    Helper(
        5, "ktime_get_ns", "-> u64", "4.1",
        "Nanoseconds since boot without the time in suspend (CLOCK_MONOTONIC).",
        f"{_OPS}:ktime_get_ns",
    ),
    Helper(
        118, "jiffies64", "-> u64", "5.6",
        "Ticks of the kernel's timer since shortly before boot.", f"{_OPS}:jiffies64",
    ),
    Helper(
        125, "ktime_get_boot_ns", "-> u64", "5.8",
        "Nanoseconds since boot with the time in suspend (CLOCK_BOOTTIME).",
        f"{_OPS}:ktime_get_boot_ns",
    ),
    Helper(
        160, "ktime_get_coarse_ns", "-> u64", "5.11",
        "The time of the last timer tick (CLOCK_MONOTONIC_COARSE): cheaper, less exact.",
        f"{_OPS}:ktime_get_coarse_ns",
    ),
    Helper(
        208, "ktime_get_tai_ns", "-> u64", "6.1",
        "International atomic time in nanoseconds since the epoch, without leap seconds "
        "(CLOCK_TAI).", f"{_OPS}:ktime_get_tai_ns",
    ),
)  # fmt: skip
