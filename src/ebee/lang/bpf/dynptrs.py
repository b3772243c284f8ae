"""Dynptrs: memory whose size the verifier does not know, with bounds that are checked when it is
accessed (since Linux 5.19). `Dynptr()` is one on the stack, for functions that fill it."""

from __future__ import annotations

from ebee.types import struct, u64


@struct
class Dynptr:
    """A place for a dynptr, which functions of the kernel fill:

    data = Dynptr()
    bpf_dynptr_from_skb(ctx, 0, data)
    ip = bpf_dynptr_slice(data, 14, IPv4())    # a pointer into it, to the copy, or None

    bpf.dynptr_read(header, sizeof(Header), data, 0, 0) copies out of it, bpf.dynptr_from_mem and
    bpf.ringbuf_reserve_dynptr make others.
    """

    first: u64
    second: u64


setattr(Dynptr, "__cname__", "bpf_dynptr")  # noqa: B010

__all__ = ["Dynptr"]
