"""A decoder for an infrared remote control (NEC-like): reads pulses and pauses, and reports a key
after `bits` of them.

    $ ebee run examples/remote_control.py     (attaches to /dev/lirc0)
    a leading pulse of 9 ms, then 32 bits: the scan code goes to the input device
"""

from ebee import Global, LircContext, bpf, lirc, u32, u64

KIND, PULSE, SPACE = 0xFF000000, 0x01000000, 0
PROTOCOL_NEC = 9
LEADER, LONG = 8000, 1200  # microseconds

code: Global[u64] = 0
bits: Global[u32] = 0


@lirc
def remote_control(ctx: LircContext) -> None:
    global code, bits
    length = ctx.sample & 0xFFFFFF
    if ctx.sample & KIND == PULSE and length > LEADER:
        code, bits = u64(0), u32(0)
        return
    if ctx.sample & KIND != SPACE or length > LEADER // 2:
        return
    code = code << 1 | (1 if length > LONG else 0)
    bits += 1
    if bits == 32:
        bpf.rc_keydown(ctx, PROTOCOL_NEC, code, 0)
