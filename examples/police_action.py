"""An action for filters of tc, whatever they match: drops what is longer than `largest`, and hands
on the rest to the next action.

    tc filter add dev eth0 egress matchall action bpf object-pinned /sys/fs/bpf/police_action
    a frame of 60 bytes: OK; one of 1,514 with largest=1000: SHOT, dropped = 1
"""

from ebee import TC, Const, Global, SkbContext, tc_action, u32, u64

largest: Const[u32] = 1514
dropped: Global[u64] = 0


@tc_action
def police_action(ctx: SkbContext) -> TC:
    global dropped
    if ctx.len > largest:
        dropped += 1
        return TC.SHOT
    return TC.OK
