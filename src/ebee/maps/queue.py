"""Queues and stacks (kernel/bpf/queue_stack_maps.c): values without keys."""

from ebee.maps import MapType, flags

_PROGRAM = "map_push_elem map_pop_elem map_peek_elem"
_USER = "lookup update take freeze"

MAPS = (
    MapType(
        22, "queue", "4.20", "Values in order: the first one in is the first one out.",
        key="none", flags=flags("numa_node"), program=_PROGRAM, user=_USER, btf="forbidden",
        needs=("CAP_BPF",), ops="ebee.maps.queue_ops",
    ),
    MapType(
        23, "stack", "4.20", "Values in order: the last one in is the first one out.",
        key="none", flags=flags("numa_node"), program=_PROGRAM, user=_USER, btf="forbidden",
        needs=("CAP_BPF",), ops="ebee.maps.queue_ops",
    ),
)  # fmt: skip
