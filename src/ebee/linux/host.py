"""Facts of the running kernel and of this process that the whole room asks for."""

from __future__ import annotations

import os
import re
from functools import cache

# The capabilities that decide about BPF, by bit (include/uapi/linux/capability.h).
CAPABILITIES = {
    "CAP_NET_ADMIN": 12,
    "CAP_NET_RAW": 13,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_SYS_RESOURCE": 24,
    "CAP_SYSLOG": 34,
    "CAP_PERFMON": 38,
    "CAP_BPF": 39,
}


def read(path: str) -> str | None:
    """The text of a small file of the kernel, stripped; None where it cannot be read."""
    try:
        with open(path, errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


@cache
def kernel_version() -> tuple[int, int, int]:
    """The running kernel's version, as (6, 18, 2).

    Debian and Ubuntu put a name of their own into the release; what the kernel was built from
    (and what old kernels compare `kern_version` with) then stands elsewhere.
    """
    uname = os.uname()
    for text in (
        (read("/proc/version_signature") or "").rpartition(" ")[2],  # Ubuntu
        uname.version.partition("Debian ")[2],
        uname.release,
    ):
        if found := re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text):
            major, minor, patch = found.groups(default="0")
            return int(major), int(minor), int(patch)
    return 0, 0, 0


def version_code() -> int:
    """LINUX_VERSION_CODE, which kprobe programs had to state before Linux 5.0."""
    major, minor, patch = kernel_version()
    return major << 16 | minor << 8 | min(patch, 255)


def cpu_list(text: str) -> list[int]:
    """The CPUs of a kernel list such as "0-3,8"."""
    cpus: list[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        cpus.extend(range(int(first), int(last or first) + 1))
    return cpus


@cache
def possible_cpus() -> int:
    """How many values a per-CPU element has: every CPU that could ever be plugged in."""
    text = read("/sys/devices/system/cpu/possible")
    if text:
        return max(cpu_list(text)) + 1
    return os.cpu_count() or 1


def kernel_symbols(*names: str) -> dict[str, int]:
    """The addresses of those of `names` that the kernel has; hidden ones (0) are left out."""
    try:
        with open("/proc/kallsyms", "rb") as file:
            data = file.read()
    except OSError:
        return {}
    found: dict[str, int] = {}
    wanted = b"|".join(re.escape(name.encode()) for name in names)
    for line in re.finditer(rb"^([0-9a-f]+) . (" + wanted + rb")[\t\n]", data, re.MULTILINE):
        if address := int(line[1], 16):
            found.setdefault(line[2].decode(), address)
    return found


def effective_capabilities() -> set[str]:
    """The capabilities of CAPABILITIES that this process has now."""
    status = read("/proc/self/status") or ""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.MULTILINE)
    held = int(found[1], 16) if found else 0
    return {name for name, bit in CAPABILITIES.items() if held >> bit & 1}


def missing_capabilities(needed: tuple[str, ...]) -> list[str]:
    """Which of `needed` this process lacks for bpf(), where CAP_SYS_ADMIN stands for the others.

    CAP_BPF and CAP_PERFMON are there since Linux 5.8 (kernel/bpf/syscall.c, bpf_capable).
    """
    held = effective_capabilities()
    if "CAP_SYS_ADMIN" in held:
        held |= {"CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"}
    return [name for name in needed if name not in held]


def in_first_user_namespace() -> bool:
    """Whether capabilities are what they say: those of no container's users."""
    try:
        return os.stat("/proc/self/ns/user").st_ino == 0xEFFF_FFFD  # PROC_USER_INIT_INO
    except OSError:  # a kernel without user namespaces
        return True


def lockdown() -> str:
    """The kernel's lockdown level: "none", "integrity", "confidentiality"; "" when not known
    (securityfs is not mounted)."""
    found = re.search(r"\[(\w+)\]", read("/sys/kernel/security/lockdown") or "")
    if found:
        return found[1]
    return "none" if os.path.exists("/sys/kernel/security/lsm") else ""
