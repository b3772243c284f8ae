"""What one run of a program gave, on either backend."""

from typing import NamedTuple


class RunResult(NamedTuple):
    """`retval` as an unsigned 32-bit number; `data` the packet and `ctx` the context after the
    run; `duration` the mean time of one run in ns (0: not measured); `executed` the number of
    instructions of the last run (0: not counted); the first `metadata` bytes of `data` stand before
    the packet (XDP on the machine; the kernel tells only those who give a context)."""

    retval: int
    data: bytes = b""
    ctx: bytes = b""
    duration: int = 0
    executed: int = 0
    metadata: int = 0
