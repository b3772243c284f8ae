"""What the native batch entry works on: many packets, one call."""

from ebee.types import ptr, struct, u8, u32, u64

KEEP_CLOCK = 1
"""Time does not follow the packets' stamps."""
COPY_OUT = 2
"""Changed packets are copied to `out`."""


@struct
class Batch:
    """`count` packets from index `next` on: `offsets[i]` in the `data_size` bytes at
    `data`, `lengths[i]` bytes, taken at
    `stamps[i]` ns. `budget`: instructions that checked code may run for each. The batch ends early
    at a fault (see the CPU) or when `out` is full; `next` is then the packet to go on with.

    It also ends before a packet when one of the `ring_count` ring buffers at `rings` is more than
    half full, so that its reader can keep up.

    Results by packet: `verdicts`, `targets` (the interface of a redirect, 0: none), and where in
    `out` it was copied to. `redirected`: whether `targets` may hold anything but zeroes.
    `actions`: see ACTIONS."""

    data: ptr[u8]
    data_size: u64
    offsets: ptr[u64]
    lengths: ptr[u32]
    stamps: ptr[u64]
    verdicts: ptr[u32]
    targets: ptr[u32]
    out: ptr[u8]
    out_offsets: ptr[u64]
    out_lengths: ptr[u32]
    out_size: u64
    out_used: u64
    next: u64
    count: u64
    budget: u64
    flags: u32
    ifindex: u32
    rx_queue: u32
    redirected: u32
    actions: ptr[u64]
    rings: ptr[u64]
    ring_count: u64


OTHERS = 7
ACTIONS = OTHERS + 1
"""Counters behind `actions`: packets and bytes for the return values 0 to 6, and all others."""
