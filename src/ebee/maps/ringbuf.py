"""Ring buffers between programs and user space (kernel/bpf/ringbuf.c)."""

from ebee.maps import MapType, flags

MAPS = (
    MapType(
        27, "ringbuf", "5.8", "Records of any size from programs to one reader, in order.",
        key="none", value="none", entries="pages", flags=flags("numa_node", also=0),
        program="reserve submit discard output query", user="mmap poll freeze", btf="forbidden",
        ops="ebee.maps.ringbuf_ops",
    ),
    MapType(
        31, "user_ringbuf", "6.1", "Records from user space, which programs drain.",
        key="none", value="none", entries="pages", flags=flags("numa_node", also=0),
        program="drain", user="mmap poll freeze", btf="forbidden",
        missing={"machine": "programs that drain user space's records do not run there yet"},
    ),
)  # fmt: skip
