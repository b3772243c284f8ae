"""Members of map values that mean something to the kernel: locks and timers."""

from __future__ import annotations

from typing import Any

from ebee.types import struct, u32, u64


@struct
class SpinLock:
    """A lock in a value of a map: `with entry.lock:`. One at a time, and no calls while it is
    held. Since Linux 5.1."""

    value: u32

    def __enter__(self) -> None:
        raise TypeError("a lock is held by programs only")

    def __exit__(self, *_: Any) -> None: ...


@struct
class Timer:
    """A timer in a value of a map. Since Linux 5.15.

    bpf.timer_init(entry.timer, flows, CLOCK_MONOTONIC); bpf.timer_set_callback(entry.timer, f);
    bpf.timer_start(entry.timer, nanoseconds, 0), where
    `f(m: ptr[u8], key: ptr[Key], value: ptr[Value]) -> i32` gives 0.
    """

    first: u64
    second: u64


CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME = 0, 1, 7

for _kind, _name in ((SpinLock, "bpf_spin_lock"), (Timer, "bpf_timer")):
    setattr(_kind, "__cname__", _name)  # noqa: B010

__all__ = ["CLOCK_BOOTTIME", "CLOCK_MONOTONIC", "CLOCK_REALTIME", "SpinLock", "Timer"]
