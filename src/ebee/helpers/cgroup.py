"""Helpers about control groups (kernel/bpf/cgroup.c, kernel/bpf/helpers.c, net/core/filter.c)."""

from ebee.helpers import Helper

_OPS = "ebee.helpers.task_ops"
_NO_TREE = {"machine": "needs the cgroup tree: the machine knows only the id of the current group"}
_NO_SKB = {"machine": "needs a socket buffer and its cgroup: the machine has none"}
_NO_HOOKS = {"machine": "for cgroup programs, which the machine does not run yet"}

HELPERS = (
    Helper(
        33, "skb_under_cgroup",
        "skb: ctx[__sk_buff], map: map[cgroup_array], index: u32 -> long", "4.8",
        "Whether the packet's socket belongs to a cgroup of an array or below it.",
        missing=_NO_SKB,
    ),
    Helper(
        37, "current_task_under_cgroup", "map: map[cgroup_array], index: u32 -> long", "4.9",
        "Whether the current task belongs to a cgroup of an array or below it.", missing=_NO_TREE,
    ),
    Helper(
        79, "skb_cgroup_id", "skb: ctx[__sk_buff] -> u64", "4.18",
        "The id of the cgroup of the packet's socket.", missing=_NO_SKB,
    ),
    Helper(
        80, "get_current_cgroup_id", "-> u64", "4.18", "The id of the current task's cgroup.",
        f"{_OPS}:get_current_cgroup_id",
    ),
    Helper(
        81, "get_local_storage",
        "map: map[cgroup_storage|percpu_cgroup_storage], flags: u64 -> map_value", "4.19",
        "The storage of the program's cgroup attachment.", missing=_NO_HOOKS,
    ),
    Helper(
        83, "skb_ancestor_cgroup_id", "skb: ctx[__sk_buff], ancestor_level: int -> u64", "4.19",
        "The id of an ancestor, by its level, of the cgroup of the packet's socket.",
        missing=_NO_SKB,
    ),
    Helper(
        123, "get_current_ancestor_cgroup_id", "ancestor_level: int -> u64", "5.7",
        "The id of an ancestor, by its level, of the current task's cgroup.", missing=_NO_TREE,
    ),
    Helper(
        128, "sk_cgroup_id", "sk: btf_sock -> u64", "5.8", "The id of a socket's cgroup.",
        missing=_NO_SKB,
    ),
    Helper(
        129, "sk_ancestor_cgroup_id", "sk: btf_sock, ancestor_level: int -> u64", "5.8",
        "The id of an ancestor, by its level, of a socket's cgroup.", missing=_NO_SKB,
    ),
    Helper(
        151, "skb_cgroup_classid", "skb: ctx[__sk_buff] -> u64", "5.10",
        "The net_cls class of the packet's socket (cgroup v1).", missing=_NO_SKB,
    ),
    Helper(
        186, "get_retval", "-> int", "5.18",
        "What the system call would return as things stand.", missing=_NO_HOOKS,
    ),
    Helper(
        187, "set_retval", "retval: int -> int", "5.18",
        "Choose what the system call returns.", missing=_NO_HOOKS,
    ),
)  # fmt: skip
