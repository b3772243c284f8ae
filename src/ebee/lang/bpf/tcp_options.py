"""TCP options (RFC 9293, 7323, 2018): read behind a header into a struct of the program's own."""

from __future__ import annotations

from ebee.lang.bpf.packets import TCP, Packet
from ebee.lang.bpf.programs import func
from ebee.types import struct, u8, u16, u32, u64

OPTION_END, OPTION_NOP, OPTION_MSS, OPTION_WINDOW_SCALE = 0, 1, 2, 3
OPTION_SACK_PERMITTED, OPTION_SACK, OPTION_TIMESTAMPS = 4, 5, 8
"""Kinds of options (IANA, TCP option kind numbers)."""

MOST = 40
"""Bytes of options that a header can have."""


@struct
class TcpOptions:
    """What `read_tcp_options` found. `kinds`: a bit for each kind below 32 that was there,
    also of those that are not kept; the others are 0 where they were not."""

    kinds: u32
    mss: u16
    window_scale: u8
    padding: u8
    timestamp: u32
    echo: u32


@struct
class _Byte:
    value: u8


@func
def read_tcp_options(packet: Packet, tcp: TCP, options: TcpOptions) -> bool:
    """Read the options that follow a header that was just parsed; False when the packet ends
    before them, or one is longer than what is left. The cursor is behind them then."""
    left = u32(tcp.offset_flags >> 12) * 4
    if left < 20:
        return False
    left -= 20
    kind = u8(0)  # of the option that is being read; 0: none
    rest = u32(0)  # bytes of it that are still to come, its length among them while known is False
    known = False  # whether its length has been read
    value = u64(0)
    for i in range(MOST):
        if i >= left:
            break
        letter = packet.take(_Byte)
        if letter is None:
            return False
        if kind == 0:
            if letter.value == OPTION_END:
                return packet.skip((left - i - 1) & 63)
            if letter.value != OPTION_NOP:
                kind = letter.value
                known = False
                value = u64(0)
            continue
        if not known:
            known = True
            rest = u32(letter.value)
            if rest < 2 or rest - 2 > left - i - 1:
                return False
            rest -= 2
        else:
            value = value << 8 | letter.value
            rest -= 1
        if rest == 0:
            if kind < 32:
                options.kinds |= u32(1) << kind
            if kind == OPTION_MSS:
                options.mss = u16(value)
            elif kind == OPTION_WINDOW_SCALE:
                options.window_scale = u8(value)
            elif kind == OPTION_TIMESTAMPS:
                options.timestamp = u32(value >> 32)
                options.echo = u32(value)
            kind = u8(0)
    return kind == 0


__all__ = [
    "OPTION_END", "OPTION_MSS", "OPTION_NOP", "OPTION_SACK", "OPTION_SACK_PERMITTED",
    "OPTION_TIMESTAMPS", "OPTION_WINDOW_SCALE", "TcpOptions", "read_tcp_options",
]  # fmt: skip
