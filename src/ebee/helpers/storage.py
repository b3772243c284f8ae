"""Helpers on maps that keep a value for a kernel object (net/core/bpf_sk_storage.c, kernel/bpf)."""

from ebee.helpers import BTF_HOOKS, Helper

_NO_OBJECTS = {"machine": "keeps values for kernel objects: the machine has none"}
_SK_GET = "map: map[sk_storage], sk: {}, value: map_value?, flags: u64 -> map_value?"
_SK_DELETE = "map: map[sk_storage], sk: {} -> long"
_TRACED_SOCK = "btf[sock_common]?"

HELPERS = (
    Helper(
        107, "sk_storage_get", _SK_GET.format("btf_sock"), "5.2",
        "The value that a map keeps for a socket, created with BPF_SK_STORAGE_GET_F_CREATE.",
        variants={"cgroup_sock": _SK_GET.format("ctx")}
        | dict.fromkeys(BTF_HOOKS, _SK_GET.format(_TRACED_SOCK)),
        missing=_NO_OBJECTS,
    ),
    Helper(
        108, "sk_storage_delete", _SK_DELETE.format("btf_sock"), "5.2",
        "Remove the value that a map keeps for a socket.",
        variants=dict.fromkeys(BTF_HOOKS, _SK_DELETE.format(_TRACED_SOCK)), missing=_NO_OBJECTS,
    ),
    Helper(
        145, "inode_storage_get",
        "map: map[inode_storage], inode: btf[inode]? as void, value: map_value?, flags: u64 "
        "-> map_value?", "5.10",
        "The value that a map keeps for an inode, created with BPF_LOCAL_STORAGE_GET_F_CREATE.",
        missing=_NO_OBJECTS,
    ),
    Helper(
        146, "inode_storage_delete",
        "map: map[inode_storage], inode: btf[inode]? as void -> int", "5.10",
        "Remove the value that a map keeps for an inode.", missing=_NO_OBJECTS,
    ),
    Helper(
        210, "cgrp_storage_get",
        "map: map[cgrp_storage], cgroup: btf[cgroup]?, value: map_value?, flags: u64 -> map_value?",
        "6.2", "The value that a map keeps for a cgroup, created with "
        "BPF_LOCAL_STORAGE_GET_F_CREATE.", missing=_NO_OBJECTS,
    ),
    Helper(
        211, "cgrp_storage_delete", "map: map[cgrp_storage], cgroup: btf[cgroup]? -> long", "6.2",
        "Remove the value that a map keeps for a cgroup.", missing=_NO_OBJECTS,
    ),
)  # fmt: skip
