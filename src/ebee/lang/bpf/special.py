"""Members of map values that mean something to the kernel: locks and timers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from ebee import bpf, kfuncs
from ebee.types import i64, struct, u32, u64

CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME = 0, 1, 7

if TYPE_CHECKING:
    from ebee.lang.bpf.maps import AnyMap

    MapHere: TypeAlias = AnyMap[Any, Any]
    Called: TypeAlias = Callable[..., int]
    Number: TypeAlias = int
else:
    Number = u64
    """As the annotation of a parameter: any number, also a plain one for type checkers."""

    class MapHere:
        """As the annotation of a parameter: any map."""

        @staticmethod
        def __static__():
            from ebee.lang.bpf.maps import AnyMap
            from ebee.lang.values import Constant

            return Constant(None, lambda thing: isinstance(thing, AnyMap))

    class Called:
        """As the annotation of a parameter: any function."""

        @staticmethod
        def __static__():
            from ebee.lang.values import FnType
            from ebee.types import u64

            return FnType(None, u64)


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
    """A timer in a value of a map: `entry.timer.init(flows)`, `entry.timer.callback(expired)`,
    `entry.timer.start(nanoseconds)`, where `expired(m: ptr[u8], key: ptr[Key], value: ptr[Value])
    -> i32` gives 0. Since Linux 5.15."""

    first: u64
    second: u64

    def init(self, m: MapHere, clock: int = 1) -> i64:
        """Prepare it, in a value of this map; 0, or -EBUSY when it has been."""
        return bpf.timer_init(self, m, clock)

    def callback(self, function: Called) -> i64:
        """Say what runs when it fires; 0, or -EINVAL when it is not prepared."""
        return bpf.timer_set_callback(self, function)

    def start(self, nanoseconds: Number, flags: int = 0) -> i64:
        """Fire in that many nanoseconds (flags=1: at that time); 0, or -EINVAL without a
        callback."""
        return bpf.timer_start(self, nanoseconds, flags)

    def cancel(self) -> i64:
        """Stop it: 1 if it was armed, 0 if not, -EDEADLK in its own callback. What it calls is
        forgotten."""
        return bpf.timer_cancel(self)


@struct
class WorkQueue:
    """Work that is done later, where it may sleep, in a value of a map: `entry.work.init(flows)`,
    `entry.work.callback(clean)`, `entry.work.start()`, where `clean(m: ptr[u8], key: ptr[Key],
    work: ptr[u8]) -> i32` gives 0. Since Linux 6.10."""

    first: u64
    second: u64

    def init(self, m: MapHere) -> i64:
        """Prepare it, in a value of this map; 0, or -EBUSY when it has been."""
        return i64(kfuncs.bpf_wq_init(self, m, 0))

    def callback(self, function: Called) -> i64:
        """Say what is to be done; 0, or -EINVAL when it is not prepared."""
        return i64(kfuncs.bpf_wq_set_callback_impl(self, function, 0))

    def start(self) -> i64:
        """Let it be done; 0, or -EINVAL without a callback."""
        return i64(kfuncs.bpf_wq_start(self, 0))


for _kind, _name in (
    (SpinLock, "bpf_spin_lock"), (Timer, "bpf_timer"), (WorkQueue, "bpf_wq"),
):  # fmt: skip
    setattr(_kind, "__cname__", _name)  # noqa: B010

__all__ = ["CLOCK_BOOTTIME", "CLOCK_MONOTONIC", "CLOCK_REALTIME", "SpinLock", "Timer", "WorkQueue"]
