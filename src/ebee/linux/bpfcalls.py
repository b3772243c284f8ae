"""bpf() calls of other processes in words: attributes by the tables of uapi.py, what their pointers
point to, the objects behind descriptors, results, errno names.

`Decoder.enter` and `Decoder.leave` are what ptrace.watch() wants; each call becomes a `BpfCall`.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from ebee.linux import flags as defined
from ebee.linux import uapi
from ebee.linux.errors import name_of
from ebee.linux.host import possible_cpus, read
from ebee.linux.links import LINK_TYPE_NAMES, PERF_EVENTS
from ebee.linux.owners import fdinfo
from ebee.linux.sys import Packed, info_layout, packed

COMMAND_NAMES = {number: name for name, (number, _) in uapi.COMMANDS.items()}
RESTARTS = {512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND",
            516: "ERESTART_RESTARTBLOCK"}  # fmt: skip
"""What a tracer sees of calls that a signal interrupts (include/linux/errno.h)."""
PAGE = 1 << 12
"""The kernel takes no more attributes; nor do we take longer paths."""
MOST, MOST_LOG = 1 << 16, 1 << 24
"""Bytes that we read of what a pointer points to, and of a verifier's log."""


def _named(prefix: str, table: dict[str, int]) -> dict[int, str]:
    return {number: prefix + name.upper() for name, number in table.items()}


def _flags(source: Any, *names: str) -> dict[int, str]:
    return {getattr(source, name): name for name in names}


ENUMS = {
    "map_type": _named("BPF_MAP_TYPE_", uapi.MAP_TYPES),
    "prog_type": _named("BPF_PROG_TYPE_", uapi.PROG_TYPES),
    **dict.fromkeys(("attach_type", "expected_attach_type"), _named("BPF_", uapi.ATTACH_TYPES)),
}
MODE = ("BPF_F_RDONLY", "BPF_F_WRONLY")
LISTS = _flags(
    defined, "BPF_F_ALLOW_OVERRIDE", "BPF_F_ALLOW_MULTI", "BPF_F_REPLACE", "BPF_F_BEFORE",
    "BPF_F_AFTER", "BPF_F_ID", "BPF_F_PREORDER",
)  # fmt: skip
ELEMENT = _flags(uapi, "BPF_NOEXIST", "BPF_EXIST", "BPF_F_LOCK")
FLAGS = {
    "map_flags": _flags(
        uapi, *MODE, "BPF_F_NO_PREALLOC", "BPF_F_NO_COMMON_LRU", "BPF_F_NUMA_NODE",
        "BPF_F_STACK_BUILD_ID", "BPF_F_ZERO_SEED", "BPF_F_RDONLY_PROG", "BPF_F_WRONLY_PROG",
        "BPF_F_CLONE", "BPF_F_MMAPABLE", "BPF_F_PRESERVE_ELEMS", "BPF_F_INNER_MAP", "BPF_F_LINK",
        "BPF_F_VTYPE_BTF_OBJ_FD", "BPF_F_TOKEN_FD", "BPF_F_SEGV_ON_FAULT", "BPF_F_NO_USER_CONV",
    ),
    "prog_flags": _flags(
        defined, "BPF_F_STRICT_ALIGNMENT", "BPF_F_ANY_ALIGNMENT", "BPF_F_TEST_RND_HI32",
        "BPF_F_TEST_STATE_FREQ", "BPF_F_SLEEPABLE", "BPF_F_XDP_HAS_FRAGS",
        "BPF_F_XDP_DEV_BOUND_ONLY", "BPF_F_TEST_REG_INVARIANTS",
    ) | _flags(uapi, "BPF_F_TOKEN_FD"),
    "btf_flags": _flags(uapi, "BPF_F_TOKEN_FD"),
    "file_flags": _flags(uapi, *MODE, "BPF_F_PATH_FD"), "open_flags": _flags(uapi, *MODE),
    "attach_flags": LISTS, "elem_flags": ELEMENT,
    "kprobe_multi_flags": _flags(uapi, "BPF_F_KPROBE_MULTI_RETURN"),
    "uprobe_multi_flags": _flags(uapi, "BPF_F_UPROBE_MULTI_RETURN"),
    "netfilter_flags": _flags(defined, "BPF_F_NETFILTER_IP_DEFRAG"),
    "query_flags": _flags(defined, "BPF_F_QUERY_EFFECTIVE"),
    ("elem", "flags"): ELEMENT, ("link_update", "flags"): LISTS,
    ("test", "flags"): _flags(
        defined, "BPF_F_TEST_RUN_ON_CPU", "BPF_F_TEST_XDP_LIVE_FRAMES",
        "BPF_F_TEST_SKB_CHECKSUM_COMPLETE",
    ),
}  # fmt: skip
"""Words of flags by field, or by group of attributes and field."""
XDP = _flags(
    defined, "XDP_FLAGS_UPDATE_IF_NOEXIST", "XDP_FLAGS_SKB_MODE", "XDP_FLAGS_DRV_MODE",
    "XDP_FLAGS_HW_MODE", "XDP_FLAGS_REPLACE",
)  # fmt: skip
"""`flags` of link_create for XDP."""

# What a pointer points to: a text; a text with a bound on its length; bytes; numbers; texts;
# a key or value, or many, of `map_fd`; an info structure. With the field that has the length.
POINTERS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("pathname", "license", "name", "uprobe_multi_path"), ("text", "")),
    "log_buf": ("log", "log_size"), "btf_log_buf": ("log", "btf_log_size"),
    "buf": ("log", "buf_len"),
    "data_in": ("bytes", "data_size_in"), "data_out": ("bytes", "data_size_out"),
    "ctx_in": ("bytes", "ctx_size_in"), "ctx_out": ("bytes", "ctx_size_out"),
    "iter_info": ("bytes", "iter_info_len"), "stream_buf": ("bytes", "result"),
    **dict.fromkeys(("prog_ids", "prog_attach_flags", "link_ids", "link_attach_flags"),
                    ("I", "count")),
    **dict.fromkeys(("kprobe_multi_addrs", "kprobe_multi_cookies"), ("Q", "kprobe_multi_cnt")),
    **dict.fromkeys(("uprobe_multi_offsets", "uprobe_multi_ref_ctr_offsets",
                     "uprobe_multi_cookies"), ("Q", "uprobe_multi_cnt")),
    "kprobe_multi_syms": ("texts", "kprobe_multi_cnt"),
    "key": ("key", ""), "next_key": ("key", ""), "value": ("value", ""),
    "keys": ("key", "count"), "values": ("value", "count"), "info": ("info", "info_len"),
}  # fmt: skip
ADDRESSES = {"insns", "func_info", "line_info", "fd_array", "core_relos", "btf", "in_batch",
             "out_batch", "signature", "excl_prog_hash"} | POINTERS.keys()  # fmt: skip
FILLED = {"next_key", "data_out", "ctx_out", "prog_ids", "link_ids", "prog_attach_flags",
          "link_attach_flags", "info", "stream_buf", "buf", "log_buf", "btf_log_buf"}  # fmt: skip
"""Memory that the kernel writes to, `value`, `keys` and `values` by lookups only."""
LOOKED_UP = {"value", "keys", "values"}

BY_INDEX = ("xdp", "tcx_ingress", "tcx_egress", "netkit_primary", "netkit_peer")
"""Attach types whose target is an interface, by its index."""
PARTS = {
    "perf_event": "perf_event_", "netfilter": "netfilter_", "trace_iter": "iter_info",
    **dict.fromkeys(("trace_kprobe_multi", "trace_kprobe_session"), "kprobe_multi_"),
    **dict.fromkeys(("trace_uprobe_multi", "trace_uprobe_session"), "uprobe_multi_"),
    **dict.fromkeys(("tcx_ingress", "tcx_egress"), "tcx_"),
    **dict.fromkeys(("netkit_primary", "netkit_peer"), "netkit_"),
    **dict.fromkeys(("trace_fentry", "trace_fexit", "modify_return", "lsm_mac", "trace_raw_tp"),
                    "tracing_"),
    **dict.fromkeys((n for n in uapi.ATTACH_TYPES if n.startswith("cgroup")), "cgroup_"),
}  # fmt: skip
"""The members of the union at the end of link_create that an attach type uses."""
ATTACH_NAMES = {number: name for name, number in uapi.ATTACH_TYPES.items()}
GIVES_FD = {"MAP_CREATE", "PROG_LOAD", "OBJ_GET", "BTF_LOAD", "RAW_TRACEPOINT_OPEN", "LINK_CREATE",
            "PROG_GET_FD_BY_ID", "MAP_GET_FD_BY_ID", "BTF_GET_FD_BY_ID",
            "LINK_GET_FD_BY_ID"}  # fmt: skip
OBJECTS = {"link_id": "link", "map_id": "map", "prog_id": "program", "btf_id": "BTF"}
"""Lines of /proc/PID/fdinfo/FD, the one that decides first."""
PER_CPU = {uapi.MAP_TYPES[name] for name in
           ("percpu_hash", "percpu_array", "lru_percpu_hash", "percpu_cgroup_storage")}  # fmt: skip


@dataclass
class BpfCall:
    """One call. `attributes`: those that are not 0, by name: numbers, names of enumerations, texts,
    lists, or bytes; addresses where the memory could not be read. `objects`: what descriptors among
    them are, and "result" ("map 12"). `result`: -1 when it failed, with `error`; None when the
    process died in it. `code`: the instructions that were to be loaded.
    """

    pid: int
    comm: str
    command: str
    size: int
    attributes: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    result: int | None = None
    error: str = ""
    seconds: float = 0.0
    code: bytes = b""

    def document(self) -> dict[str, Any]:
        """For JSON: bytes as hex."""
        return {
            "pid": self.pid, "comm": self.comm, "command": self.command, "size": self.size,
            "attributes": _plain(self.attributes), "objects": self.objects, "result": self.result,
            "errno": self.error or None, "seconds": round(self.seconds, 9),
        }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value.hex() if isinstance(value, bytes) else value


def flag_words(call: BpfCall, name: str, value: int) -> str:
    """Flags as C has them: "BPF_F_LINK|0x100000"."""
    group = uapi.COMMANDS.get(call.command, (0, ""))[1]
    words = FLAGS.get((group, name)) or FLAGS.get(name, {})
    if (
        group == "link_create"
        and name == "flags"
        and call.attributes.get("attach_type") == "BPF_XDP"
    ):
        words = XDP
    found = [word for bit, word in sorted(words.items()) if value & bit]
    rest = value & ~sum(bit for bit in words if value & bit)
    return "|".join([*found, *([f"{rest:#x}"] if rest or not found else [])])


class Decoder:
    """Gives each call that has ended to `seen`."""

    def __init__(self, seen: Callable[[BpfCall], None]):
        self.seen = seen

    def enter(self, thread: int, arguments: tuple[int, ...]) -> tuple[BpfCall, _View, float]:
        """Before a call."""
        view = _View(thread, arguments)
        comm = (read(f"/proc/{thread}/comm") or "").strip()
        call = BpfCall(thread, comm, view.command, view.size)
        for name in view.shown():
            call.attributes[name] = view.decoded(name, after=False)
            if what := view.object(name):
                call.objects[name] = what
        if rest := view.rest():
            call.attributes["further"] = rest
        if view.command == "PROG_LOAD":
            length = min(view.values.get("insn_cnt", 0) * 8, MOST * 8)
            call.code = view.memory(view.values.get("insns", 0), length) or b""
        return call, view, time.monotonic()

    def leave(self, state: tuple[BpfCall, _View, float], result: int | None) -> None:
        """After it, with its result."""
        call, view, began = state
        call.seconds = time.monotonic() - began
        call.result = result
        if result is not None:
            if result < 0:
                call.result, call.error = -1, RESTARTS.get(-result) or name_of(-result)
            view.again(max(result, 0))
            for name in view.shown():
                if name not in ADDRESSES or view.filled(name, bool(call.error)):
                    call.attributes[name] = view.decoded(name, after=True)
            if call.command in GIVES_FD and not call.error and (what := view.object_of(result)):
                call.objects["result"] = what
        self.seen(call)


class _View:
    """The attributes of a call that a thread is in, and its memory."""

    def __init__(self, thread: int, arguments: tuple[int, ...]):
        self.thread, self.at = thread, arguments[1]
        number, self.size = arguments[0] & 0xFFFF_FFFF, arguments[2] & 0xFFFF_FFFF
        self.command = COMMAND_NAMES.get(number, str(number))
        self.group = uapi.COMMANDS.get(self.command, (0, ""))[1]
        self.raw = self.memory(self.at, min(self.size, PAGE)) or b""
        self.values: dict[str, Any] = {}
        self.again(0)

    def again(self, result: int) -> None:
        """Read the attributes, which the kernel writes to as well."""
        self.raw = self.memory(self.at, len(self.raw)) or self.raw
        self.values = dict(_fields(_layout(self.group), self.raw)) if self.group else {}
        self.values["result"] = result

    def memory(self, at: int, size: int) -> bytes | None:
        """What lies in the process's memory, None when that cannot be read as a whole."""
        try:
            with open(f"/proc/{self.thread}/mem", "rb", buffering=0) as file:
                file.seek(at)
                found = file.read(size)
        except (OSError, ValueError, OverflowError):
            return None
        return found if len(found) == size else None

    def text(self, at: int, most: int = PAGE) -> str | None:
        """A text up to its NUL, by pages: it may lie at the end of what is mapped."""
        found = b""
        while len(found) < most and b"\0" not in found:
            place = at + len(found)
            part = self.memory(place, min(PAGE - place % PAGE, most - len(found)))
            if part is None:
                return None
            found += part
        return found.partition(b"\0")[0].decode(errors="replace")

    # -- which attributes --------------------------------------------------------------------

    def shown(self) -> list[str]:
        """The fields that are not 0, without those that share their place but are not meant."""
        meant = self._meant()
        taken: set[int] = set()
        names = []
        for name, (at, _) in _layout(self.group)[1].items() if self.group else ():
            value = self.values.get(name)
            if not value or value == bytes(16) or at in taken or not meant(name):
                continue
            taken.add(at)
            names.append(name)
        return names

    def _meant(self) -> Callable[[str], bool]:
        """Whether a field is the one of its place that this call uses."""
        values, group = self.values, self.group
        kind = ATTACH_NAMES.get(values.get("attach_type", -1), "")
        word = self.command.partition("_")[0].lower()
        by_id = f"{word}_id" if self.command.endswith("_GET_FD_BY_ID") else "start_id"
        part = PARTS.get(kind, "target_btf_id")
        flags = values.get("attach_flags", values.get("flags", 0))
        never = {"prog_cnt"}
        never.add("target_fd" if kind in BY_INDEX else "target_ifindex")
        never.add("value" if self.command == "MAP_GET_NEXT_KEY" else "next_key")
        never.add("relative_fd" if flags & defined.BPF_F_ID else "relative_id")
        never.add(f"{part}relative_fd" if flags & defined.BPF_F_ID else f"{part}relative_id")
        if group == "link_create":
            never.add("prog_fd" if kind == "struct_ops" else "map_fd")
        elif group == "link_update":
            never |= {"new_prog_fd", "old_prog_fd"} if self._is("new_prog_fd", "map") else set()
        elif group == "prog_load":
            never.add("attach_prog_fd" if self._is("attach_btf_obj_fd", "BTF")
                      else "attach_btf_obj_fd")  # fmt: skip
        start = _layout(group)[1]["target_btf_id"][0] if group == "link_create" else PAGE

        def meant(name: str) -> bool:
            if group == "by_id" and _layout(group)[1][name][0] == 0:
                return name == by_id
            if name in never:
                return False
            return _layout(group)[1][name][0] < start or name.startswith(part)

        return meant

    def _is(self, name: str, what: str) -> bool:
        return self.object_of(self.values.get(name, 0)).startswith(what)

    def rest(self) -> bytes:
        """What lies behind the attributes that we know, if it is not 0."""
        known = _layout(self.group)[0] if self.group else 0
        rest = self.raw[known:]
        return rest if rest.strip(b"\0") else b""

    # -- what they say -----------------------------------------------------------------------

    def object(self, name: str) -> str:
        """What a descriptor among the attributes is."""
        return self.object_of(self.values[name]) if name.endswith("_fd") else ""

    def object_of(self, fd: int) -> str:
        said = fdinfo(self.thread, fd)
        return next((f"{OBJECTS[key]} {said[key]}" for key in OBJECTS if key in said), "")

    def filled(self, name: str, failed: bool) -> bool:
        """Whether the kernel has written where this points to."""
        if name in LOOKED_UP:
            return "LOOKUP" in self.command and not failed
        return name in FILLED and (not failed or POINTERS[name][0] == "log")

    def decoded(self, name: str, after: bool) -> Any:
        """An attribute's value; an address where what lies there is not to be had (yet)."""
        value = self.values[name]
        if isinstance(value, bytes):
            return value.partition(b"\0")[0].decode(errors="replace")
        if name in ENUMS:
            return ENUMS[name].get(value, value)
        later = name in FILLED or (name in LOOKED_UP and "LOOKUP" in self.command)
        if name not in POINTERS or later != after:
            return value
        found = self._behind(value, *POINTERS[name])
        return value if found is None else found

    def _behind(self, at: int, form: str, count: str) -> Any:
        """What lies at an address."""
        number = self.values.get(count, 1)
        if form == "text":
            return self.text(at)
        if form == "log":
            return self.text(at, min(number, MOST_LOG))
        if form == "texts":
            raw = self.memory(at, min(number * 8, MOST)) or b""
            return [self.text(place) for (place,) in struct.iter_unpack("=Q", raw)] or None
        if form in "IQ":
            raw = self.memory(at, min(number * struct.calcsize(form), MOST)) or b""
            return [one for (one,) in struct.iter_unpack("=" + form, raw)] or None
        if form == "info":
            return self._info(self.memory(at, min(number, MOST)) or b"")
        size = number if form == "bytes" else number * self._width(form)
        return self.memory(at, size) if 0 < size <= MOST else None

    @cached_property
    def _map(self) -> dict[str, str]:
        return fdinfo(self.thread, self.values.get("map_fd", -1))

    def _width(self, what: str) -> int:
        """Bytes of a key or value of the map, as bpf() has them."""
        size = int(self._map.get(f"{what}_size", 0))
        per_cpu = what == "value" and int(self._map.get("map_type", 0)) in PER_CPU
        return (size + 7 & ~7) * possible_cpus() if per_cpu else size

    def _info(self, raw: bytes) -> dict[str, Any] | None:
        """An info structure, by the object that it tells of; what is not 0."""
        said = fdinfo(self.thread, self.values.get("bpf_fd", -1))
        kind = next((key.removesuffix("_id") for key in OBJECTS if key in said), "")
        if not kind:
            return None
        found = {name: value for name, value in _fields(info_layout(kind), raw)
                 if value and value != bytes(16)}  # fmt: skip
        if kind == "link":
            prefix = LINK_TYPE_NAMES.get(found.get("type", 0), "-") + "_"
            if prefix == "perf_event_":
                prefix += PERF_EVENTS.get(found.get("perf_event_type", 0), ("", "-"))[1]
            own = ("type", "id", "prog_id", "perf_event_type"[: len(prefix) + 4])
            found = {n: v for n, v in found.items() if n in own or n.startswith(prefix)}
        for name, value in found.items():
            if isinstance(value, bytes):
                text = name == "name"
                found[name] = value.rstrip(b"\0").decode(errors="replace") if text else value
        return found


@cache
def _layout(group: str) -> Packed:
    return packed(uapi.ATTRIBUTES[group])


def _fields(layout: Packed, raw: bytes) -> Iterator[tuple[str, Any]]:
    """The fields of a structure that lie within what there is of it."""
    for name, (at, packer) in layout[1].items():
        if at + packer.size <= len(raw):
            yield name, packer.unpack_from(raw, at)[0]
