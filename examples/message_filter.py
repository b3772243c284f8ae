"""What programs send is looked at before TCP gets it: messages with a forbidden beginning are
refused, and the sender gets EACCES.

    from ebee import load; the program's attach(maps["watched"]), then watched[0] = a socket
    sending "GET /": goes on; "DEL /": PermissionError, refused = 1
"""

from ebee import SK, Global, MsgContext, SockMap, array, sk_msg, struct, u8, u64

from typing import Literal  # isort: skip

watched = SockMap(max_entries=1024)
refused: Global[u64] = 0


@struct
class Start:
    text: array[u8, Literal[4]]


@sk_msg
def message_filter(ctx: MsgContext) -> SK:
    global refused
    start = ctx.packet().take(Start)
    if start is not None and start.text == b"DEL ":
        refused += 1
        return SK.DROP
    return SK.PASS
