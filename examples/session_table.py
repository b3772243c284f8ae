"""Sessions that end by themselves: each has a timer that takes it out of the table when nothing
came for `idle` nanoseconds.

    $ ebee run examples/session_table.py --dev eth0
    two packets of one source: sessions = {source: {packets: 2}}; a while later: sessions = {}
"""

from ebee import (  # isort: skip
    ETH_IP, TC, Const, Ethernet, Global, Hash, IPv4, SkbContext, Timer, func, i32, ptr, struct, tc,
    u8, u32, u64, zero,
)  # fmt: skip

idle: Const[u64] = 30_000_000_000
expired: Global[u64] = 0


@struct
class Session:
    timer: Timer
    packets: u64


sessions = Hash[u32, Session](max_entries=65536)


@func
def expire(table: ptr[u8], key: ptr[u32], session: ptr[Session]) -> i32:
    global expired
    del sessions[key[0]]
    expired += 1
    return i32(0)


@tc
def session_table(ctx: SkbContext) -> TC:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return TC.OK
    ip = packet.parse(IPv4)
    if ip is None:
        return TC.OK
    session = sessions.lookup(ip.source)
    if session is None:
        sessions[ip.source] = zero(Session)
        session = sessions.lookup(ip.source)
        if session is None:
            return TC.OK
        session.timer.init(sessions)
        session.timer.callback(expire)
    session.packets += 1
    session.timer.start(idle)
    return TC.OK
