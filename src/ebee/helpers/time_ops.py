# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Bodies of the helpers that tell the time: restricted Python."""

from ebee.abi.cpu import CLOCK_HOST, Cpu
from ebee.native import host_clock, native
from ebee.types import ptr, u32, u64

MONOTONIC, MONOTONIC_COARSE, BOOTTIME, TAI = 1, 6, 7, 11
"""Numbers of clocks (include/uapi/linux/time.h)."""

JIFFY = 1_000_000
"""Nanoseconds between two ticks: CONFIG_HZ=1000, the kernel's default since 6.13."""

FIRST_JIFFY = (1 << 32) - 300 * 1000
"""INITIAL_JIFFIES: five minutes before 32 bits overflow, so that every system meets that case."""


@native
def _clock(cpu: ptr[Cpu], number: u32) -> u64:
    if cpu.clock == CLOCK_HOST:
        return host_clock(number)
    return cpu.now


@native
def ktime_get_ns(cpu: ptr[Cpu]) -> u64:
    return _clock(cpu, u32(MONOTONIC))


@native
def ktime_get_boot_ns(cpu: ptr[Cpu]) -> u64:
    return _clock(cpu, u32(BOOTTIME))


@native
def ktime_get_coarse_ns(cpu: ptr[Cpu]) -> u64:
    return _clock(cpu, u32(MONOTONIC_COARSE))


@native
def ktime_get_tai_ns(cpu: ptr[Cpu]) -> u64:
    if cpu.clock == CLOCK_HOST:
        return host_clock(u32(TAI))
    return cpu.now + u64(cpu.realtime_offset)


@native
def jiffies64(cpu: ptr[Cpu]) -> u64:
    return _clock(cpu, u32(MONOTONIC)) // JIFFY + FIRST_JIFFY
