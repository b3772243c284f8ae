"""Copies of what comes in go out of another device, for a machine that watches; the packets
themselves go on to the next program.

    $ ebee run examples/mirror.py --dev eth0
    a frame with watcher=7: TCX.NEXT, and the same frame leaves device 7; mirrored = 1
"""

from ebee import TCX, Const, Global, SkbContext, bpf, tcx, u32, u64

watcher: Const[u32] = 0  # number of the device
mirrored: Global[u64] = 0


@tcx("ingress")
def mirror(ctx: SkbContext) -> TCX:
    global mirrored
    if watcher and bpf.clone_redirect(ctx, watcher, 0) == 0:
        mirrored += 1
    return TCX.NEXT
