"""What is refused before any path is walked: programs that may not sleep, maps that the kind of
program may not use (bpf_check_attach_target, check_map_prog_compatibility)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import special
from ebee.verifier.core.errors import EINVAL, Rejected
from ebee.verifier.core.program import MapInfo

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

EBUSY = 16
MAX_OFFSET = 1 << 29  # BPF_MAX_VAR_OFF
_TRACING = frozenset((
    "kprobe", "kprobe.multi", "kprobe.session", "uprobe", "uprobe.multi", "uprobe.session",
    "usdt", "tracepoint", "perf_event", "raw_tracepoint", "raw_tracepoint_writable",
))  # fmt: skip
_MAY_SLEEP = frozenset((
    "fentry", "fexit", "fmod_ret", "iter", "lsm", "lsm_cgroup", "struct_ops", "uprobe",
    "uprobe.multi", "uprobe.session", "usdt", "kprobe", "kprobe.multi",
))  # fmt: skip
_SLEEPABLE_MAPS = frozenset((
    "hash", "lru_hash", "array", "percpu_hash", "percpu_array", "lru_percpu_hash",
    "array_of_maps", "hash_of_maps", "ringbuf", "user_ringbuf", "inode_storage", "sk_storage",
    "task_storage", "cgrp_storage", "queue", "stack", "arena",
))  # fmt: skip
_FORBIDDEN = (
    (("bpf_list_head", "bpf_rb_root"), "bpf_{list_head,rb_root}"),
    (("bpf_spin_lock", "bpf_res_spin_lock"), "bpf_spin_lock"),
    (("bpf_timer",), "bpf_timer"),
    (("bpf_wq",), "bpf_wq"),
)


def check(w: Walk) -> bool:
    """Rejected when something does not fit; whether the program has an arena."""
    _check_sleepable(w)
    _check_callbacks(w)
    infos: list[MapInfo] = []
    for kind, info, _ in w.program.pseudo.values():
        if kind in ("map", "data") and info not in infos:
            infos.append(info)
            _check_map(w, info)
    for kind, info, offset in w.program.pseudo.values():
        if kind == "data" and info.type.name != "arena":
            _check_direct(info, offset)
    arenas = [info for info in infos if info.type.name == "arena"]
    if len(arenas) > 1:
        raise Rejected("map-type", "Only one arena per program", "", EBUSY)
    storages = [info.type.name for info in infos if "cgroup_storage" in info.type.name]
    if len(storages) > len(set(storages)):
        text = "only one cgroup storage of each type is allowed"
        raise Rejected("map-type", text, "", EBUSY)
    return bool(arenas)


def _check_direct(info: MapInfo, offset: int) -> None:
    """Whether there is such a place in the values of a map (map_direct_value_addr)."""
    text = ""
    if offset >= MAX_OFFSET:
        text = f"direct value offset of {offset} is not allowed"
    elif not info.type.direct or info.max_entries != 1:
        text = "no direct value access support for this map type"
    elif offset >= info.value_size:
        text = f"invalid access to map value pointer, value_size={info.value_size} off={offset}"
    if text:
        raise Rejected("direct-value", text, "", EINVAL)


def _check_sleepable(w: Walk) -> None:
    name, sleepable = w.program.hook.name, w.program.sleepable
    if name == "syscall" and not sleepable:
        raise Rejected("may-sleep", "Syscall programs can only be sleepable", "", EINVAL)
    if sleepable and name != "syscall" and name not in _MAY_SLEEP:
        text = "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be"
        raise Rejected("may-sleep", f"{text} sleepable", "", EINVAL)


def _check_callbacks(w: Walk) -> None:
    """Of functions that handle exceptions there is one at the most."""
    program = w.program
    main = next((f for f in program.funcs if f.start == 0), None)
    if program.btf is None or main is None or not main.btf_id:
        return
    tags = special.tags(program.btf, main.btf_id)
    if sum(tag.startswith("exception_callback:") for tag in tags) > 1:
        text = "multiple exception callback tags for main subprog"
        raise Rejected("exception", text, "", EINVAL)


def _check_map(w: Walk, info: MapInfo) -> None:
    hook = w.program.hook.name
    held = {field.name for field in info.fields}
    for names, shown in _FORBIDDEN:
        if not held.intersection(names):
            continue
        if hook == "socket_filter" and shown == "bpf_spin_lock":
            text = "socket filter progs cannot use bpf_spin_lock yet"
            raise Rejected("map-type", text, "", EINVAL)
        if hook in _TRACING:
            raise Rejected("map-type", f"tracing progs cannot use {shown} yet", "", EINVAL)
    if info.type.name == "struct_ops":
        text = "bpf_struct_ops map cannot be used in prog"
        raise Rejected("map-type", text, "", EINVAL)
    if w.program.sleepable and info.type.name not in _SLEEPABLE_MAPS:
        text = "Sleepable programs can only use array, hash, ringbuf and local storage maps"
        raise Rejected("map-type", text, "", EINVAL)
