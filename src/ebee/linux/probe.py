"""What this machine can do: privileges, settings and features, each tried rather than guessed.

A Finding is plain data, for `ebee doctor`. Probes create maps and load programs of a few
instructions; what they attach, they attach in a network namespace of their own. Nothing stays.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.isa.insn import CALL, JMP, Insn
from ebee.linux import uapi
from ebee.linux.btf import PROBES, load_bytes, missing
from ebee.linux.errors import older_than
from ebee.linux.finding import Finding, attempt, finding
from ebee.linux.flags import BPF_F_SLEEPABLE
from ebee.linux.host import kernel_version, possible_cpus
from ebee.linux.kconfig import options
from ebee.linux.maps import LinuxMap
from ebee.linux.privileges import PARAMETERS, abilities, privileges, settings
from ebee.linux.probe_links import links
from ebee.linux.programs import LinuxProgram, digest
from ebee.maps import MapType, all_types

__all__ = [
    "PARAMETERS", "Finding", "abilities", "everything", "features", "helpers", "kernel",
    "map_types", "privileges", "program_types", "settings",
]  # fmt: skip

PASS = "r0 = 0; exit"
# Programs that load only where a feature is there: (since, code).
INSTRUCTIONS = {
    "more than 4096 instructions": ("5.2", "r0 = 0; " * 4200 + "exit"),
    "bounded loops": ("5.3", "r0 = 0\nloop: r0 += 1; if r0 < 10 goto loop; exit"),
    "instruction set v2": ("4.14", "r0 = 0; if r0 < 1 goto +0; exit"),
    "instruction set v3": ("5.1", "r0 = 0; if w0 < 1 goto +0; exit"),
    "instruction set v4": ("6.6", "r0 = 7; r0 s/= 2; r0 = (s8)r0; exit"),
    "atomic fetch and exchange": (
        "5.12",
        "r0 = 0; *(u64 *)(r10 -8) = 1; r0 = atomic64_xchg((u64 *)(r10 -8), r0); exit",
    ),
    "may_goto loops": ("6.9", "r0 = 0\nloop: may_goto done; goto loop\ndone: exit"),
}
# How to load a program of a type that wants more than code: load attributes, BTF targets by name.
OPTIONS: dict[str, dict[str, Any]] = {
    "cgroup_sock_addr": {"attach_type": "cgroup_inet4_bind"},
    "cgroup_sockopt": {"attach_type": "cgroup_getsockopt"},
    "sk_lookup": {"attach_type": "sk_lookup"},
    "netfilter": {"attach_type": "netfilter"},
    "syscall": {"flags": BPF_F_SLEEPABLE},
    "tp_btf": {"type": "tracing", "attach_type": "trace_raw_tp", "btf": "btf_trace_sys_enter"},
    "fentry": {"type": "tracing", "attach_type": "trace_fentry", "btf": "bpf_fentry_test1"},
    "fexit": {"type": "tracing", "attach_type": "trace_fexit", "btf": "bpf_fentry_test1"},
    "fmod_ret": {
        "type": "tracing",
        "attach_type": "modify_return",
        "btf": "security_task_getpgid",
    },
    "iter": {"type": "tracing", "attach_type": "trace_iter", "btf": "bpf_iter_task"},
    "lsm": {"attach_type": "lsm_mac", "btf": "bpf_lsm_file_open"},
    "lsm_cgroup": {"type": "lsm", "attach_type": "lsm_cgroup", "btf": "bpf_lsm_socket_bind"},
    "struct_ops": {"btf": "tcp_congestion_ops", "member": "ssthresh"},
}  # fmt: skip
# What is no type of its own, loads only for another program, or is tried by its kinds above.
NOT_TRIED = {"unspec", "ext", "tracing"}

KEY_SIZES = {"u32": 4, "any": 4, "none": 0, "lpm": 8, "cgroup": 8}
VALUE_SIZES = {"any": 8, "none": 0, "u32": 4, "u32|u64": 4, "trace": 8}


def kernel() -> Iterator[Finding]:
    """The kernel itself: version, BTF, configuration."""
    version = ".".join(map(str, kernel_version()))
    yield finding("kernel", not older_than("4.18"), f"Linux {version} on {os.uname().machine}",
                   "BTF came with Linux 4.18: nothing older is of use")  # fmt: skip
    path = "/sys/kernel/btf/vmlinux"
    yield finding("kernel BTF", os.path.exists(path), path,
                   "no CO-RE: the kernel was built without CONFIG_DEBUG_INFO_BTF")  # fmt: skip
    known = options()
    yield finding("kernel configuration", known is not None, f"{len(known or ())} options",
                   "no /boot/config-* and no /proc/config.gz: __kconfig has no values")  # fmt: skip
    yield Finding("CPUs", True, f"{possible_cpus()} possible")


def map_types() -> Iterator[Finding]:
    """Every map type that ebee knows, created as its declaration says."""
    for declared in all_types():
        yield attempt(f"map type {declared.name}", declared.since, partial(_make_map, declared))


def program_types() -> Iterator[Finding]:
    """Every type of program, loaded; and those that go to a place named by BTF, by their names."""
    from ebee.hooks import by_name, by_prog_type

    names = [name for name in uapi.PROG_TYPES if name not in NOT_TRIED]
    for name in names + [name for name in OPTIONS if name not in names]:
        hook = by_name(name) or by_prog_type(uapi.PROG_TYPES.get(name, -1))
        yield attempt(f"program type {name}", hook.since if hook else "", partial(_load, name))


def helpers(program_type: str) -> Iterator[Finding]:
    """Every helper, whether programs of a type may call it. Takes some 20 ms."""
    for name, number in uapi.HELPERS.items():
        if number and not name.startswith("__"):
            yield Finding(name, *_helper(program_type, number))


def features() -> Iterator[Finding]:
    """Single features of the kernel: instructions, BTF, maps, links."""
    yield attempt("programs are compiled (JIT)", "", _compiled)
    for name, (since, code) in INSTRUCTIONS.items():
        yield attempt(name, since, partial(_load_text, code))
    yield from _btf()
    yield attempt("map batches", "5.6", _batches)
    yield attempt("arrays in memory (mmap)", "5.5", _mmap)
    yield from links()


def everything() -> Iterator[Finding]:
    """All groups but the helpers."""
    for group in (kernel, privileges, settings, abilities, map_types, program_types, features):
        yield from group()


# -- how each is tried ---------------------------------------------------------------------------


def _make_map(declared: MapType) -> None:
    entries = {"any": 4, "none": 0, "one": 1, "pages": os.sysconf("SC_PAGESIZE")}
    options: dict[str, Any] = {"flags": declared.required}
    sizes = KEY_SIZES[declared.key], VALUE_SIZES[declared.value], entries[declared.entries]
    if declared.name == "struct_ops":
        from ebee.btf import Btf, Struct

        value = Btf.vmlinux().find("bpf_struct_ops_tcp_congestion_ops", Struct)
        sizes = sizes[0], value.size, 1
        options["btf_vmlinux_value_type_id"] = value.id
    if declared.handle == "map":
        options["inner"] = inner = LinuxMap.create("hash", 4, 4, 1)
    if declared.btf == "required":
        from ebee.btf import BtfBuilder, Int

        types = BtfBuilder()
        number = types.add(Int("int", 4, 1, 32))
        options["btf"] = btf = load_bytes(types.bytes())
        if declared.name == "struct_ops":
            options["btf_fd"] = options.pop("btf")
        else:
            options |= {"key_btf_id": number, "value_btf_id": number}
            sizes = sizes[0], 4, sizes[2]
    LinuxMap.create(declared.name, *sizes, name="probe", **options).close()
    if declared.handle == "map":
        inner.close()
    if declared.btf == "required":
        btf.close()


def _load(name: str) -> None:
    options = dict(OPTIONS.get(name, {}))
    target, member = options.pop("btf", ""), options.pop("member", "")
    if target:
        from ebee.btf import Btf, Func, Struct, Typedef

        types = Btf.vmlinux()
        found = types.get(target, Func) or types.find(target, (Typedef, Struct))
        options["attach_btf_id"] = found.id
        if member and isinstance(found, Struct):
            names = [m.name for m in found.members]
            options["expected_attach_type"] = names.index(member)
    _load_text(PASS, options.pop("type", name), **options)


def _load_text(text: str, type: str = "socket_filter", **options: Any) -> None:
    if "attach_type" in options:
        options["attach_type"] = uapi.ATTACH_TYPES[options["attach_type"]]
    LinuxProgram.load(assemble(text), type, name="probe", **options).close()


def _helper(type: str, number: int) -> tuple[bool | None, str, str]:
    """A call without arguments is refused either because of them, or because of the helper."""
    code = [Insn(JMP | CALL, imm=number), *assemble("exit")]
    options = {k: v for k, v in OPTIONS.get(type, {}).items() if k != "btf"}
    if "attach_type" in options:
        options["attach_type"] = uapi.ATTACH_TYPES[options["attach_type"]]
    try:
        LinuxProgram.load(code, type, name="probe", **options).close()
    except KernelError as error:
        log = getattr(error, "log", "")
        if not digest(log):
            return None, "", error.summary
        if re.search(r"unknown func|invalid func|cannot use helper", log):
            return False, "", "programs of this type may not call it"
    return True, "", ""


def _btf() -> Iterator[Finding]:
    try:
        lacking = missing()
    except KernelError as error:
        yield Finding("BTF", None, "", error.summary)
        return
    for name in PROBES:
        reason = "this kernel is older; ebee replaces it when it loads BTF"
        yield finding(f"BTF: {name}", name not in lacking, "", reason)


def _compiled() -> str:
    with LinuxProgram.load(assemble(PASS), "socket_filter", name="probe") as program:
        size = program.info().jited_prog_len
    if not size:
        text = "programs are interpreted: set net.core.bpf_jit_enable to 1"
        raise KernelError(text, errno.EOPNOTSUPP)
    return f"{size} bytes for 2 instructions"


def _batches() -> None:
    with LinuxMap.create("array", 4, 4, 2, name="probe") as made:
        made.lookup_batch()


def _mmap() -> None:
    made = LinuxMap.create("array", 4, 4, 2, name="probe", flags=uapi.BPF_F_MMAPABLE)
    with made, made.mmap():
        pass
