"""What the loader's capabilities decide before and beside the walk: the programs that it may load,
the maps that it may make, the helpers that they may call (bpf_prog_load, bpf_map_create,
bpf_base_func_proto in Linux 6.12 to 6.18)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ebee.errors import ConfigError
from ebee.hooks import Hook
from ebee.hooks.numbers import NET_ADMIN_TYPES, PERFMON_TYPES, PROG_TYPES, UNPRIVILEGED_TYPES
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import E2BIG, EINVAL, EPERM, Rejected

if TYPE_CHECKING:
    from ebee.verifier.core.program import MapInfo, Program

MAX_INSNS = 4096  # BPF_MAXINSNS
MAX_STATES = 64  # BPF_COMPLEXITY_LIMIT_STATES
"""Limits of loaders without CAP_BPF: instructions, states remembered at one of them."""


@dataclass(frozen=True, slots=True)
class Privileges:
    """The capabilities of the process that loads. CAP_SYS_ADMIN stands for all three.

    bpf          loops, functions, precision of scalars, most types of programs, maps and helpers
    perfmon      pointers and stacks may be looked into, and nothing is done against speculation;
                 tracing programs
    net_admin    networking programs
    mitigations  whether the kernel works against speculation at all (`mitigations=` of its command
                 line)
    """

    bpf: bool = True
    perfmon: bool = True
    net_admin: bool = True
    mitigations: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The capabilities, as they are called: ("CAP_BPF", ...)."""
        return tuple(name for name, field in CAPABILITIES.items() if getattr(self, field))

    @property
    def speculates(self) -> bool:
        """Whether what a processor may do against the rules is walked as well."""
        return self.mitigations and not self.perfmon


CAPABILITIES = {"CAP_BPF": "bpf", "CAP_PERFMON": "perfmon", "CAP_NET_ADMIN": "net_admin"}
ALL, NONE = Privileges(), Privileges(False, False, False)


def parse(text: str) -> Privileges:
    """Privileges from "none", "all", or names with commas between ("bpf,net_admin"; `cap_` may
    stand before them, in any case). ConfigError for names of others."""
    known = {"all": ALL, "none": NONE}
    words = [word.strip().lower().removeprefix("cap_") for word in text.split(",")]
    if len(words) == 1 and words[0] in known:
        return known[words[0]]
    wrong = [word for word in words if word not in (*CAPABILITIES.values(), "sys_admin")]
    if wrong:
        names = "bpf, perfmon, net_admin, sys_admin (all three), all, none"
        raise ConfigError(f"no capability {wrong[0]!r} matters to BPF; those that do: {names}")
    if "sys_admin" in words:
        return ALL
    return Privileges(*(field in words for field in CAPABILITIES.values()))


# --- programs and maps ---------------------------------------------------------------------------


def _types(names: Iterable[str]) -> frozenset[int]:
    return frozenset(PROG_TYPES[name] for name in names)


_ANYBODY = _types(UNPRIVILEGED_TYPES)
_NET_ADMIN, _PERFMON = _types(NET_ADMIN_TYPES), _types(PERFMON_TYPES)


def _needs(hook: Hook) -> Iterator[str]:
    """The capabilities that programs of a type take."""
    if hook.prog_type not in _ANYBODY:
        yield "CAP_BPF"
    if hook.prog_type in _NET_ADMIN:
        yield "CAP_NET_ADMIN"
    if hook.prog_type in _PERFMON:
        yield "CAP_PERFMON"


def check_load(program: Program, held: Privileges) -> None:
    """Rejected when the kernel refuses the program, or one of its maps, at sight: it says nothing
    but EPERM then."""
    hook = program.hook
    if not held.bpf and len(program.insns) > MAX_INSNS:
        text = f"{len(program.insns)} instructions take CAP_BPF"
        raise Rejected("not-permitted", text, f"the limit without it is {MAX_INSNS}", E2BIG)
    for name in _needs(hook):
        if name not in held.names:
            raise _refused(f"programs of type {hook.name}", name)
    infos = {id(info): info for kind, info, _ in program.pseudo.values() if kind in ("map", "data")}
    for info in infos.values():
        _check_map(info, held)


def _check_map(info: MapInfo, held: Privileges) -> None:
    for name in info.type.needs:
        if name not in held.names:
            raise _refused(f"maps of type {info.type.name}", name)
    if info.fields and not held.bpf:  # BTF takes CAP_BPF
        raise _refused(f"maps with {info.fields[0].name}", "CAP_BPF")
    if info.type.name == "arena" and not held.perfmon:
        text = "CAP_BPF and CAP_PERFMON are required to use arena"
        raise Rejected("not-permitted", text, "", EPERM)
    if info.inner is not None:
        _check_map(info.inner, held)


def _refused(what: str, name: str) -> Rejected:
    return Rejected("not-permitted", f"{what} take {name}", "the loader does not have it", EPERM)


def check_alone(ops: Sequence[Op | None]) -> None:
    """Without CAP_BPF there are no functions beside the one, and none of the kernel's."""
    if any(op is not None and op.name in _FUNCTIONS for op in ops):
        text = "loading/calling other bpf or kernel functions are allowed for CAP_BPF and"
        raise Rejected("not-permitted", f"{text} CAP_SYS_ADMIN", "", EPERM)


_FUNCTIONS = frozenset(("call_local", "call_kfunc", "lddw_func"))


def check_no_loops(following: Sequence[tuple[int, ...]], starts: Sequence[int]) -> None:
    """Without CAP_BPF control goes forwards only: depth first, as the kernel looks, an edge to an
    instruction whose continuations are not all seen is a loop."""
    state = bytearray(len(following) + 1)  # 1: under way, 2: seen
    for start in starts:
        state[start] = 1
        work = [(start, iter(following[start]))]
        while work:
            slot, rest = work[-1]
            to = next(rest, -1)
            if to < 0:
                state[slot] = 2
                work.pop()
            elif to >= len(following) or state[to] == 2:
                continue
            elif state[to] == 1:
                text = f"back-edge from insn {slot} to {to}"
                raise Rejected("loop", text, "loops take CAP_BPF", EINVAL)
            else:
                state[to] = 1
                work.append((to, iter(following[to])))


# --- helpers and contexts ------------------------------------------------------------------------

_BPF_HELPERS = frozenset((
    "spin_lock", "spin_unlock", "jiffies64", "per_cpu_ptr", "this_cpu_ptr", "timer_init",
    "timer_set_callback", "timer_start", "timer_cancel", "kptr_xchg", "for_each_map_elem", "loop",
    "user_ringbuf_drain", "ringbuf_reserve_dynptr", "ringbuf_submit_dynptr",
    "ringbuf_discard_dynptr", "dynptr_from_mem", "dynptr_read", "dynptr_write", "dynptr_data",
    "cgrp_storage_get", "cgrp_storage_delete", "get_current_cgroup_id",
    "get_current_ancestor_cgroup_id", "current_task_under_cgroup", "get_cgroup_classid",
    "task_storage_get", "task_storage_delete",
))  # fmt: skip
_PERFMON_HELPERS = frozenset((
    "trace_printk", "get_current_task", "get_current_task_btf", "probe_read_user",
    "probe_read_kernel", "probe_read_user_str", "probe_read_kernel_str", "snprintf_btf",
    "snprintf", "task_pt_regs", "trace_vprintk", "skc_to_tcp6_sock", "skc_to_tcp_sock",
    "skc_to_tcp_timewait_sock", "skc_to_tcp_request_sock", "skc_to_udp6_sock", "skc_to_unix_sock",
    "skc_to_mptcp_sock", "sys_bpf",
    # since 6.16
    "get_current_comm", "copy_from_user", "copy_from_user_task", "perf_event_read_value",
    "perf_event_read", "send_signal", "send_signal_thread", "get_task_stack",
    "get_branch_snapshot", "find_vma",
))  # fmt: skip
"""Helpers of all programs that take a capability. The kernel's own programs have lists of their
own, but those that have such helpers on them take the capability themselves."""


def may_call(name: str, held: Privileges) -> bool:
    """Whether the loader's programs may call a helper that their type may."""
    return (held.bpf or name not in _BPF_HELPERS) and (held.perfmon or name not in _PERFMON_HELPERS)


_PACKET_FIELDS = frozenset(("data", "data_end"))


def may_access(hook: Hook, member: str, write: bool, held: Privileges) -> bool:
    """Whether the loader's programs may access a member of the context that their type may:
    cgroup_skb programs of anybody know no packet (cg_skb_is_valid_access)."""
    if held.bpf or hook.name != "cgroup_skb":
        return True
    return member not in _PACKET_FIELDS and not (write and member == "tstamp")
