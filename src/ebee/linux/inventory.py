"""All that the running kernel offers programs, as one document: `ebee feature`.

Its keys are stable: further ones may come. What is tried and how is in ebee.linux.probe.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ebee.errors import EbeeError
from ebee.isa.asm import assemble
from ebee.isa.insn import CALL, JMP, PSEUDO_KFUNC_CALL, Insn
from ebee.linux import probe, uapi
from ebee.linux.errors import older_than
from ebee.linux.host import kernel_version, possible_cpus, read
from ebee.linux.kconfig import options
from ebee.linux.probe import Finding
from ebee.linux.programs import LinuxProgram, digest

CONFIG = (
    "BPF", "BPF_SYSCALL", "HAVE_EBPF_JIT", "BPF_JIT", "BPF_JIT_ALWAYS_ON", "BPF_UNPRIV_DEFAULT_OFF",
    "BPF_LSM", "BPF_PRELOAD", "BPF_EVENTS", "BPF_KPROBE_OVERRIDE", "BPF_STREAM_PARSER",
    "BPF_LIRC_MODE2", "DEBUG_INFO_BTF", "DEBUG_INFO_BTF_MODULES", "IKCONFIG_PROC", "KALLSYMS_ALL",
    "CGROUPS", "CGROUP_BPF", "CGROUP_NET_CLASSID", "SOCK_CGROUP_DATA", "PERF_EVENTS", "TRACING",
    "KPROBES", "KPROBE_EVENTS", "UPROBES", "UPROBE_EVENTS", "FPROBE", "FTRACE_SYSCALLS",
    "DYNAMIC_FTRACE_WITH_ARGS", "DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "FUNCTION_ERROR_INJECTION",
    "NET", "XDP_SOCKETS", "LWTUNNEL_BPF", "NET_CLS_BPF", "NET_ACT_BPF", "NET_CLS_ACT",
    "NET_SCH_INGRESS", "NET_XGRESS", "NETKIT", "XFRM", "IP_ROUTE_CLASSID", "IPV6_SEG6_BPF",
    "NETFILTER_BPF_LINK", "NETFILTER_XT_MATCH_BPF", "NF_CONNTRACK", "SCHED_CLASS_EXT", "HID_BPF",
    "CRYPTO_USER_API_HASH", "HZ",
)  # fmt: skip
"""Options of a kernel (without CONFIG_) that decide what programs can do."""

LIMITS = {
    "stack of a function and its callers, bytes": 512,  # MAX_BPF_STACK
    "nested calls": 8,  # MAX_CALL_FRAMES
    "functions of a program": 256,  # BPF_MAX_SUBPROGS
    "maps that a program uses": 64,  # MAX_USED_MAPS
    "tail calls in a row": 33,  # MAX_TAIL_CALL_CNT
}
"""What no kernel yet has otherwise (include/linux/filter.h, bpf.h, bpf_verifier.h)."""

NO_HELPERS = {"unspec", "ext", "tracing", "struct_ops"}
"""Program types whose helpers depend on what they are attached to."""


def helper_types() -> list[str]:
    """The program types that helpers are tried for."""
    return [name for name in uapi.PROG_TYPES if name not in NO_HELPERS]


def kfuncs() -> dict[str, str]:
    """The kernel's functions for programs, by name with their C declarations; as its BTF
    tags them, which takes a kernel built with pahole 1.26 or newer. BtfError without BTF."""
    from ebee.btf import Btf, DeclTag, Func
    from ebee.btf.printer import declare

    btf = Btf.vmlinux()
    found = {}
    for id in range(1, len(btf)):
        if btf.kind(id) is DeclTag:
            tag = btf.type(id)
            function = btf.type(tag.type) if isinstance(tag, DeclTag) else None
            if tag.name == "bpf_kfunc" and isinstance(function, Func):
                found[function.name] = declare(btf, function.type, function.name)
    return dict(sorted(found.items()))


def kfuncs_of(program_type: str, names: Iterable[str]) -> Iterator[Finding]:
    """Which of the kernel's functions programs of a type may call (since Linux 5.13)."""
    from ebee.btf import Btf, Func

    btf = Btf.vmlinux()
    for name in names:
        function = btf.get(name, Func)
        if function is not None:
            yield Finding(name, *_kfunc(program_type, function.id))


def _kfunc(program_type: str, id: int) -> tuple[bool | None, str, str]:
    """Called without arguments it is refused because of them, or because it may not be called."""
    code = [Insn(JMP | CALL, 0, PSEUDO_KFUNC_CALL, 0, id), *assemble("exit")]
    given = {k: v for k, v in probe.OPTIONS.get(program_type, {}).items() if k != "btf"}
    if "attach_type" in given:
        given["attach_type"] = uapi.ATTACH_TYPES[given["attach_type"]]
    try:
        LinuxProgram.load(code, given.pop("type", program_type), name="probe", **given).close()
    except EbeeError as error:
        log = getattr(error, "log", "")
        if not digest(log):
            return None, "", error.summary
        if re.search(r"is not allowed", log):
            return False, "", "programs of this type may not call it"
        if "require device-bound" in log:
            return False, "", "only programs that belong to an interface (XDP) may call it"
    return True, "", ""


def config() -> dict[str, str | None] | None:
    """CONFIG_ options of the running kernel: "y", "m", a value, None for what is not set; None for
    all where the kernel does not tell."""
    known = options()
    return None if known is None else {n: known.get(f"CONFIG_{n}") for n in CONFIG}


def limits() -> dict[str, int | None]:
    """How much of what programs may have, and the host's own bounds."""
    jit = read("/proc/sys/net/core/bpf_jit_limit")
    return {
        "instructions of a program": 4096 if older_than("5.2") else 1_000_000,
        "instructions the verifier walks": 131_072 if older_than("5.2") else 1_000_000,
        **LIMITS,
        "bytes of compiled programs of unprivileged users": int(jit) if jit else None,
        "possible CPUs": possible_cpus(),
    }


def parameters() -> dict[str, int | str | None]:
    """The kernel parameters that matter for BPF (sysctl)."""
    found: dict[str, int | str | None] = {}
    for name in probe.PARAMETERS:
        value = read(f"/proc/sys/{name.replace('.', '/')}")
        found[name] = int(value) if value and value.lstrip("-").isdecimal() else value
    return found


def document(with_helpers: bool = True) -> dict[str, Any]:
    """Everything; takes a second, most of it for the helpers of each program type."""
    made: dict[str, Any] = {
        "kernel": {"release": os.uname().release, "version": ".".join(map(str, kernel_version())),
                   "machine": os.uname().machine},
        "parameters": parameters(),
        "config": config(),
        "limits": limits(),
        "program_types": _answers(probe.program_types(), "program type "),
        "map_types": _answers(probe.map_types(), "map type "),
        "features": _answers(probe.features(), ""),
    }  # fmt: skip
    if with_helpers:
        made["helpers"] = helpers(helper_types())
    try:
        made["kfuncs"] = kfuncs()
    except EbeeError:
        made["kfuncs"] = None
    return made


def helpers(types: Iterable[str]) -> dict[str, list[str] | None]:
    """The helpers that programs of each type may call; None where it takes more privileges to find
    out, or the type is not there."""
    found: dict[str, list[str] | None] = {}
    for type in types:
        answers = list(probe.helpers(type))
        known = any(answer.ok for answer in answers)
        found[type] = [f"bpf_{answer.name}" for answer in answers if answer.ok] if known else None
    return found


def _answers(findings: Iterable[Finding], prefix: str) -> dict[str, dict[str, Any]]:
    """Findings by name, without what is empty."""
    return {
        f.name.removeprefix(prefix): {"available": f.ok}
        | ({"detail": f.detail} if f.detail else {})
        | ({"reason": f.reason} if f.reason else {})
        for f in findings
    }
