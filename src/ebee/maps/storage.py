"""Local storage: values that live with a kernel object (kernel/bpf/bpf_*_storage.c,
net/core/bpf_sk_storage.c)."""

from ebee.maps import FLAGS, MapType, flags

_FLAGS = flags("no_prealloc", "clone", also=0)


def _storage(number: int, name: str, since: str, what: str) -> MapType:
    return MapType(
        number, f"{name}_storage", since, f"A value for each {what}, gone when that is.",
        key="u32", entries="none", flags=_FLAGS, required=FLAGS["no_prealloc"],
        program=f"{name}_storage_get {name}_storage_delete kptr_xchg",
        user="lookup update delete freeze", btf="required", needs=("CAP_BPF",),
        missing={"machine": f"there is no kernel object of this kind ({what}) on the machine"},
    )  # fmt: skip


MAPS = (
    _storage(24, "sk", "5.2", "socket"),
    _storage(28, "inode", "5.10", "inode"),
    _storage(29, "task", "5.11", "task"),
    _storage(32, "cgrp", "6.2", "cgroup"),
)
