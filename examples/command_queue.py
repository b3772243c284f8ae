"""User space sends commands to a program, through a ring buffer that it writes to: limits that rise
and fall without a system call for each.

    user space: UserRingBuffer(maps["commands"]).send(...)
    {SET, 100}, {ADD, 20}, {STOP, 0}, {ADD, 1}: limit = 120; the rest waits for the next packet
"""

from enum import IntEnum

from ebee import XDP, Global, UserRingBuf, XdpContext, struct, u32, u64, xdp


class Kind(IntEnum):
    SET = 1
    ADD = 2
    STOP = 3


@struct
class Command:
    kind: u32
    amount: u32


commands = UserRingBuf[Command](size=4096)
limit: Global[u64] = 1500


@xdp
def command_queue(ctx: XdpContext) -> XDP:
    global limit
    for command in commands.drain():
        if command.kind == Kind.STOP:
            break
        if command.kind == Kind.SET:
            limit = command.amount
        elif command.kind == Kind.ADD:
            limit += command.amount
    return XDP.DROP if ctx.packet().remaining() > limit else XDP.PASS
