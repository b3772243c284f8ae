"""Sockets: the members of struct bpf_sock and bpf_tcp_sock that programs may load
(net/core/filter.c: bpf_sock_is_valid_access, bpf_tcp_sock_is_valid_access)."""

from __future__ import annotations

from ebee.verifier.core import reg as R

SOCK_SIZE, TCP_SIZE = 80, 112
_HEADS = frozenset((4, 8, 12, 44, 72, 76))
"""Members of which a part may be loaded that begins where they begin: family to protocol, the
source port, the state, the receive queue."""

_ADDRESSES = ((24, 44), (52, 72))  # any part of any word
_DST_PORT, _AFTER_PORT = 48, 50  # two bytes, then two that are nothing
_LONG = frozenset((80, 88))  # bytes_received, bytes_acked


def may_load(kind: int, off: int, size: int) -> bool:
    """Whether a program may load `size` bytes of a socket of this type."""
    if off < 0 or off % size:
        return False
    if kind == R.XDP_SOCK:
        return off == 0 and size == 4  # queue_id
    if kind == R.TCP_SOCK:
        return off < TCP_SIZE and size == (8 if off in _LONG else 4)
    if off >= SOCK_SIZE or (kind == R.SOCK_COMMON and 8 <= off < 24):
        return False
    if off in _HEADS or any(first <= off < end for first, end in _ADDRESSES):
        return off % 4 + size <= 4
    if _DST_PORT <= off < _AFTER_PORT:
        return size == 4 or off % 2 + size <= 2
    return size == 4 and off != _AFTER_PORT
