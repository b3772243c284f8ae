"""Maps about cgroups (kernel/bpf/arraymap.c, local_storage.c)."""

from ebee.maps import FD_ACCESS, MapType, flags

_MISSING = {"machine": "there are no cgroups on the machine"}
_STORAGE = "lookup update next_key freeze"

MAPS = (
    MapType(
        8, "cgroup_array", "4.8", "Cgroups by index, to test membership.",
        key="u32", value="u32", flags=flags("numa_node", also=FD_ACCESS), handle="cgroup",
        program="skb_under_cgroup current_task_under_cgroup", user="update delete next_key freeze",
        btf="forbidden", missing=_MISSING,
    ),
    MapType(
        19, "cgroup_storage", "4.19",
        "A value for each cgroup that a program is attached to. Superseded by cgrp_storage.",
        key="cgroup", entries="none", flags=flags("numa_node"), program="get_local_storage",
        user=_STORAGE, missing=_MISSING,
    ),
    MapType(
        21, "percpu_cgroup_storage", "4.20", "The same with a value of its own for each CPU.",
        key="cgroup", entries="none", flags=flags("numa_node"), per_cpu=True,
        program="get_local_storage", user=_STORAGE, missing=_MISSING,
    ),
)  # fmt: skip
