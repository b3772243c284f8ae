"""How a program's heap grows: the C library's own marker (USDT) tells each time that it asks the
kernel for more.

    $ ebee run examples/malloc_sizes.py
    a process whose heap grew three times by 132 KiB: heaps = {4711: {times: 3, bytes: 405504}}
    (needs a C library that has markers: `readelf -n` shows them)
"""

from ebee import Hash, atomic_add, current, struct, u32, u64, usdt


@struct
class Grown:
    times: u64
    bytes: u64


heaps = Hash[u32, Grown](max_entries=10240)


@usdt("libc:libc:memory_sbrk_more")
def malloc_sizes(address: u64, size: u64) -> None:
    grown = heaps.lookup(current.tgid)
    if grown is None:
        heaps[current.tgid] = Grown(times=1, bytes=size)
    else:
        atomic_add(grown.times, 1)
        atomic_add(grown.bytes, size)
