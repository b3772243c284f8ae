"""A switch for local connections: sockets of a control group put themselves into a table by their
ports, and what one sends to a port of the table goes there without a protocol in between.

    attach `joins` to a control group, `switch` to maps["sockets"]; then connect over the loopback
    what one end sends arrives at the other; switched = 1 for each message
"""

from enum import IntEnum

from ebee import (  # isort: skip
    SK, Access, Global, MsgContext, SockHash, SockOpsContext, sk_msg, sock_ops, struct, u32, u64,
)  # fmt: skip


class Operation(IntEnum):
    ACTIVE_ESTABLISHED = 4
    PASSIVE_ESTABLISHED = 5


@struct
class Ports:
    own: u32
    other: u32


sockets = SockHash[Ports](max_entries=1024)
switched: Global[u64] = 0


@sock_ops
def joins(ctx: SockOpsContext) -> Access:
    if ctx.op in (Operation.ACTIVE_ESTABLISHED, Operation.PASSIVE_ESTABLISHED):
        sockets.add(ctx, Ports(own=ctx.local_port, other=ctx.remote_port))
    return Access.ALLOW


@sk_msg
def switch(ctx: MsgContext) -> SK:
    global switched
    verdict = sockets.redirect(ctx, Ports(own=ctx.remote_port, other=ctx.local_port), 1)
    if verdict == SK.PASS:
        switched += 1
    return verdict
