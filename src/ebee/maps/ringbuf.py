"""Ring buffers between programs and user space (kernel/bpf/ringbuf.c)."""

from ebee.maps import MapType, flags

MAPS = (
    MapType(
        27, "ringbuf", "5.8", "Records of any size from programs to one reader, in order.",
        key="none", value="none", entries="pages", flags=flags("numa_node", also=0),
        program="ringbuf_output ringbuf_reserve ringbuf_query ringbuf_reserve_dynptr"
        " ringbuf_submit_dynptr ringbuf_discard_dynptr",
        user="mmap poll freeze", btf="forbidden", ops="ebee.maps.ringbuf_ops",
    ),
    MapType(
        31, "user_ringbuf", "6.1", "Records from user space, which programs drain.",
        key="none", value="none", entries="pages", flags=flags("numa_node", also=0),
        program="user_ringbuf_drain", user="mmap poll freeze", btf="forbidden",
        missing={"machine": "programs that drain records of user space do not run there yet"},
    ),
)  # fmt: skip
