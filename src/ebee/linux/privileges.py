"""What this process may do with BPF here, what not, why, and what would change it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.linux import perf
from ebee.linux.errors import older_than, refused
from ebee.linux.finding import Finding, attempt, finding
from ebee.linux.host import (
    effective_capabilities,
    in_first_user_namespace,
    lockdown,
    missing_capabilities,
    read,
)
from ebee.linux.info import ids
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd, container_token

# What each capability is for.
USES = {
    "CAP_BPF": "creating maps, loading programs, BTF",
    "CAP_PERFMON": "tracing programs, and all that reads kernel memory",
    "CAP_NET_ADMIN": "networking programs, and attaching them",
    "CAP_SYS_ADMIN": "finding the objects of others by id; stands for the three above",
    "CAP_SYS_RESOURCE": "raising RLIMIT_MEMLOCK, which counts before Linux 5.11",
    "CAP_NET_RAW": "packet sockets and AF_XDP",
    "CAP_SYSLOG": "addresses in /proc/kallsyms (where kernel.kptr_restrict is 1)",
    "CAP_SYS_PTRACE": "names for addresses of other users' processes and containers",
}
PROC_PID_INIT_INO = 0xEFFFFFFC
"""The inode of the first process namespace (include/uapi/linux/nsfs.h)."""

# Parameter -> what its values mean; a text that begins with `-` is a hindrance.
PARAMETERS: dict[str, dict[str, str]] = {
    "net.core.bpf_jit_enable": {
        "0": "-programs are interpreted, many times slower: set it to 1",
        "1": "programs are compiled",
        "2": "programs are compiled, and written to the kernel's log",
    },
    "net.core.bpf_jit_harden": {
        "0": "constants in programs are not blinded",
        "1": "constants are blinded in programs of users without CAP_BPF",
        "2": "constants of all programs are blinded, which makes them slower",
    },
    "net.core.bpf_jit_kallsyms": {
        "0": "compiled programs have no names in stack traces",
        "1": "root sees compiled programs in /proc/kallsyms and stack traces",
    },
    "net.core.bpf_jit_limit": {"": "bytes for compiled programs of users without CAP_BPF"},
    "kernel.unprivileged_bpf_disabled": {
        "0": "users without CAP_BPF may load socket filters, too",
        "1": "BPF takes CAP_BPF; that cannot be changed until the next boot",
        "2": "BPF takes CAP_BPF; root may change that",
    },
    "kernel.perf_event_paranoid": {
        "-1": "perf events for everyone",
        "0": "perf events for everyone, but raw tracepoints take CAP_PERFMON",
        "1": "perf events of whole CPUs take CAP_PERFMON",
        "2": "perf events of the kernel take CAP_PERFMON",
        "": "all perf events take CAP_PERFMON",
    },
    "kernel.perf_event_max_sample_rate": {"": "samples a second at most"},
    "kernel.perf_event_mlock_kb": {"": "kB for perf's rings of each CPU, for unprivileged users"},
    "kernel.kptr_restrict": {
        "0": "kernel addresses are shown to whoever may trace",
        "1": "kernel addresses are shown to those with CAP_SYSLOG",
        "2": "-kernel addresses are shown to nobody, so kernel stacks have no names: set it to 1",
    },
    "kernel.ftrace_enabled": {
        "0": "-functions cannot be traced (fentry, kprobe.multi): set it to 1",
        "1": "functions can be traced",
    },
    "kernel.bpf_stats_enabled": {
        "0": "runs of programs are not counted; who wants that can turn it on for a while",
        "1": "runs of programs are counted and timed, which costs some 20 ns each",
    },
    "kernel.yama.ptrace_scope": {
        "0": "processes may look into others of the same user",
        "1": "processes may look into their children; root into all",
        "2": "only root may look into other processes",
        "3": "-nobody may look into other processes: user stacks have no names",
    },
}  # fmt: skip
# Files of /sys/devices/system/cpu/vulnerabilities -> what their mitigation means for BPF.
SPECTRE = {
    "spectre_v1": "indexes are masked in programs that are loaded without CAP_PERFMON",
    "spectre_v2": "indirect calls, as of maps, tail calls and callbacks, are slower",
    "spec_store_bypass": "stores are fenced in programs that are loaded without CAP_PERFMON",
}


def privileges() -> Iterator[Finding]:
    """Capabilities one by one, and what else decides who may do what."""
    held = effective_capabilities()
    for name, use in USES.items():
        ok = not missing_capabilities((name,))
        detail = use if name in held else f"{use}; by CAP_SYS_ADMIN"
        yield finding(name, ok, detail, f"{use}: {_how(name)}")
    yield from _namespaces()
    yield from _seccomp()
    yield from _lockdown()
    yield from _memlock()


def _how(name: str) -> str:
    """How to come by a capability."""
    if os.geteuid() == 0:
        return f"root has it, but here it was dropped (docker run --cap-add {name[4:]})"
    return "run as root, or give it to the program (setcap)"


def _namespaces() -> Iterator[Finding]:
    first = in_first_user_namespace()
    token = not first and container_token() is not None
    good = "a BPF token stands in for the first one's" if token else "capabilities count for BPF"
    yield finding("first user namespace", first or token, good,
                  "capabilities are those of a user namespace, and BPF needs the first one's:"
                  " run outside of the container, or in one with a BPF token (`ebee token run`;"
                  " Linux 6.9)")  # fmt: skip
    try:
        own = os.stat("/proc/self/ns/pid").st_ino == PROC_PID_INIT_INO
    except OSError:
        own = True
    yield finding("first process namespace", own, "programs see the process ids that are seen here",
                  "programs see other process ids than are seen here: use"
                  " bpf_get_ns_current_pid_tgid, or run outside of the container")  # fmt: skip


def _seccomp() -> Iterator[Finding]:
    status = read("/proc/self/status") or ""
    found = re.search(r"^Seccomp:\s*(\d)", status, re.MULTILINE)
    mode = int(found[1]) if found else 0
    yield finding("no seccomp filter", mode == 0, "no system call is filtered",
                  "a filter of system calls is active, and those of containers refuse bpf() and"
                  " perf_event_open(): start the container with a profile that allows them"
                  )  # fmt: skip


def _lockdown() -> Iterator[Finding]:
    level = lockdown() or "not known: securityfs is not mounted"
    yield finding("reading kernel memory", level != "confidentiality", f"lockdown is {level}",
                  "lockdown is confidentiality: boot without it")  # fmt: skip
    lsms = read("/sys/kernel/security/lsm")
    if lsms is None:
        yield Finding("BPF LSM", None, "", "not known: securityfs is not mounted")
    else:
        yield finding("BPF LSM", "bpf" in lsms.split(","), lsms,
                      f"active are {lsms}: boot with lsm={lsms},bpf")  # fmt: skip


def _memlock() -> Iterator[Finding]:
    import resource

    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    counts = older_than("5.11")
    text = "unlimited" if limit == resource.RLIM_INFINITY else f"{limit} bytes"
    detail = text if counts else f"{text}, for AF_XDP and perf rings; BPF memory does not count"
    ok = limit == resource.RLIM_INFINITY or not counts
    yield finding("RLIMIT_MEMLOCK", ok, detail, f"BPF memory counts before Linux 5.11, and the"
                  f" limit is {text}; ebee raises it where it may: ulimit -l unlimited"
                  )  # fmt: skip


def settings() -> Iterator[Finding]:
    """Kernel parameters, and mitigations of the CPU's faults, with what they mean for BPF."""
    for name, meanings in PARAMETERS.items():
        value = read(f"/proc/sys/{name.replace('.', '/')}")
        if value is None:
            yield Finding(name, None, "", "this kernel has no such setting, or hides it")
            continue
        text = meanings.get(value, meanings.get("", "a value that is not known"))
        yield finding(name, not text.startswith("-"), f"{value}: {text}", f"{value}: {text[1:]}")
    for name, meaning in SPECTRE.items():
        state = read(f"/sys/devices/system/cpu/vulnerabilities/{name}")
        if state is None:
            yield Finding(name, None, "", "this kernel does not tell")
            continue
        short = state.partition(";")[0]
        text = meaning if state.startswith("Mitigation") else "nothing is done about it"
        yield finding(name, not state.startswith("Vulnerable"), f"{short}: {text}",
                      f"{short}: untrusted programs could read memory; keep"
                      " kernel.unprivileged_bpf_disabled at 1 or 2, boot without mitigations=off"
                      )  # fmt: skip


# -- what is possible, tried -----------------------------------------------------------------------


def abilities() -> Iterator[Finding]:
    """What can be done here, each tried."""
    for name, function in ABILITIES.items():
        yield attempt(name, "", function)


def _load(type: str, code: str = "r0 = 0; exit", license: str = "GPL") -> None:
    LinuxProgram.load(assemble(code), type, name="probe", license=license).close()


def _helper(code: str, why: str) -> None:
    """Load a kprobe program that calls a helper; KernelError says why that may not be."""
    try:
        _load("kprobe", code)
    except KernelError as error:
        if "cannot use helper" in error.summary or "unknown func" in error.summary:
            raise KernelError(why, error.errno) from None
        raise


def _map() -> None:
    LinuxMap.create("hash", 4, 4, 1, name="probe").close()


def _list() -> str:
    return f"{sum(1 for _ in ids('prog'))} programs, {sum(1 for _ in ids('map'))} maps"


def _perf(pid: int, cpu: int) -> None:
    try:
        perf.open_event(perf.named("cpu-clock"), frequency=1, pid=pid, cpu=cpu).close()
    except OSError as error:
        raise refused(error, "open a perf event", needs=("CAP_PERFMON",)) from None


def _addresses() -> str:
    from ebee.linux.symbols.kernel import KernelSymbols

    return f"{len(KernelSymbols.load())} symbols"


def _other_processes() -> None:
    """Processes of others are looked into through files that only who may trace them can open."""
    try:
        Fd(os.open("/proc/1/maps", os.O_RDONLY | os.O_CLOEXEC)).close()
    except OSError as error:
        needs = ("CAP_SYS_PTRACE",)
        raise refused(error, "read /proc/1/maps", needs=needs) from None


def _mounted(kind: str, use: str) -> str:
    """Where a file system is mounted; KernelError, with how to mount it, if it is not."""
    found = re.search(rf"^\S+ (\S+) {kind} ", read("/proc/self/mounts") or "", re.MULTILINE)
    if found is None:
        raise KernelError(f"not mounted: {use}", errno.ENOENT)
    return found[1]


# probe_write_user(dst, src, 0), override_return(ctx, 0): refused when they are not to be had.
_WRITE = "r1 = 0; r2 = r10; r2 += -8; *(u64 *)(r10 -8) = 0; r3 = 8; call 36; r0 = 0; exit"
_OVERRIDE = "r2 = 0; call 58; r0 = 0; exit"
_READ = "r1 = r10; r1 += -8; r2 = 8; r3 = 0; call 113; r0 = 0; exit"

ABILITIES: dict[str, Callable[[], Any]] = {
    "create maps": _map,
    "load socket filters": partial(_load, "socket_filter"),
    "load networking programs": partial(_load, "xdp"),
    "load tracing programs": partial(_load, "raw_tracepoint"),
    "read kernel memory from programs": partial(_load, "kprobe", _READ),
    "write user memory from programs": partial(
        _helper, _WRITE, "forbidden by lockdown: boot with lockdown=none"
    ),
    "replace results of kernel functions": partial(
        _helper,
        _OVERRIDE,
        "forbidden by lockdown, or the kernel was built without CONFIG_BPF_KPROBE_OVERRIDE",
    ),
    "list the objects of all": _list,
    "count in this process": partial(_perf, 0, -1),
    "count on whole CPUs": partial(_perf, -1, 0),
    "name kernel addresses": _addresses,
    "name addresses of other processes": _other_processes,
    "pin (bpf file system)": partial(_mounted, "bpf", "mount -t bpf bpf /sys/fs/bpf"),
    "tracepoints by name (tracefs)": partial(
        _mounted, "tracefs", "mount -t tracefs tracefs /sys/kernel/tracing"
    ),
    "cgroup programs (cgroup2)": partial(_mounted, "cgroup2", "mount -t cgroup2 cgroup2 DIR"),
    "see lockdown and LSMs (securityfs)": partial(
        _mounted, "securityfs", "mount -t securityfs securityfs /sys/kernel/security"
    ),
}
