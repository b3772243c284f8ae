"""Attaching to what the kernel traces by BTF and by name: raw tracepoints, trampolines, LSM."""

from __future__ import annotations

import errno

from ebee.linux.links import Link, attach_error
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import open_fd


def raw_tracepoint(program: LinuxProgram, name: str) -> Link:
    """Attach to a tracepoint by name ("sched_switch"), with its raw arguments. Since Linux 4.17."""
    target = f"raw tracepoint {name}"
    try:
        return Link(open_fd("RAW_TRACEPOINT_OPEN", name=name, prog_fd=program.fd), target)
    except OSError as error:
        why = {errno.ENOENT: "there is none of this name"}
        needs = ("CAP_BPF", "CAP_PERFMON")
        raise attach_error(error, program, target, why, "4.17", needs) from None


def tracing(program: LinuxProgram) -> Link:
    """Attach where the program was loaded for: tp_btf, fentry, fexit, fmod_ret, LSM, freplace.

    Since Linux 5.5 (LSM 5.7, freplace 5.6).
    """
    try:
        return Link(open_fd("RAW_TRACEPOINT_OPEN", prog_fd=program.fd), "its BTF target")
    except OSError as error:
        needs = ("CAP_BPF", "CAP_PERFMON")
        why = {errno.EBUSY: "something else is attached that leaves no room"}
        raise attach_error(error, program, "its BTF target", why, "5.5", needs) from None
