"""The packet block: what a program's packet context is while it runs on the machine.

As in the kernel (struct xdp_buff behind struct xdp_md), a program's loads from its context are
converted to loads from this block, where pointers are 64 bits wide. `frame .. frame_end` is the
buffer; `data_meta <= data <= data_end` lie inside it.
"""

from typing import Literal

from ebee.types import array, ptr, struct, u8, u16, u32, u64

HEADROOM = 256
"""Bytes before the packet that a program may grow into (XDP_PACKET_HEADROOM)."""

FRAME_HEADER = 40
"""Bytes at the start of the frame that a packet can not grow into (sizeof(struct xdp_frame))."""

TAILROOM = 320
"""Bytes behind the packet that adjust_tail may add; the kernel's is sizeof(struct skb_shared_info)
rounded up to a cache line, taken from the page."""

FRAME_SIZE = 4096
"""Size of the page that holds one frame."""


HEADROOM_USED = 1
"""Flag of a packet: its start, or that of its metadata, was moved into the headroom, which is full
of zeroes else, as in BPF_PROG_TEST_RUN."""


@struct
class Packet:
    """struct xdp_buff of the machine; `timestamp` in nanoseconds since the epoch."""

    data: ptr[u8]
    data_end: ptr[u8]
    data_meta: ptr[u8]
    frame: ptr[u8]
    frame_end: ptr[u8]
    ingress_ifindex: u32
    rx_queue_index: u32
    egress_ifindex: u32
    flags: u32
    timestamp: u64
    protocol: u16
    reserved: array[u8, Literal[6]]
