"""Attaching to what the kernel traces by BTF and by name: raw tracepoints, trampolines, LSM,
functions of other programs."""

from __future__ import annotations

import errno
from typing import Any

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.errors import ENOTSUPP, older_than, version_text
from ebee.linux.links import Link, attach_error, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import open_fd

NEEDS = ("CAP_BPF", "CAP_PERFMON")


def raw_tracepoint(program: LinuxProgram, name: str, *, cookie: int = 0) -> Link:
    """Attach to a tracepoint by name ("sched_switch"), with its raw arguments. Since Linux 4.17.

    `cookie`: what bpf_get_attach_cookie() gives there; since Linux 6.10.
    """
    target = f"raw tracepoint {name}"
    why = {
        errno.ENOENT: "there is none of this name",
        errno.EINVAL: "it has fewer arguments than the program reads, or cannot be written to",
    }
    return _open(program, target, why, "4.17", cookie, "6.10", name=name)


def tracing(program: LinuxProgram, *, cookie: int = 0) -> Link:
    """Attach where the program was loaded for: tp_btf, fentry, fexit, fmod_ret, LSM.

    Since Linux 5.5 (fmod_ret and LSM 5.7). `cookie`: what bpf_get_attach_cookie() gives there;
    since Linux 6.0, for tp_btf and LSM since 6.10.
    """
    target = "its BTF target"
    why = {
        errno.EBUSY: "something else is attached that leaves no room",
        errno.E2BIG: "38 programs are attached there already, and no more can be",
        ENOTSUPP: "this kernel cannot attach there",
    }
    if not cookie or program.attach_type == uapi.ATTACH_TYPES["trace_raw_tp"]:
        return _open(program, target, why, "5.5", cookie, "6.10")
    _since("6.0", f"a cookie for {target}")
    return _create(program, target, why, "6.0", tracing_cookie=cookie)


def freplace(
    program: LinuxProgram,
    target: LinuxProgram | None = None,
    function: str = "",
    *,
    cookie: int = 0,
) -> Link:
    """Replace the function of a loaded program that this one was loaded for. Since Linux 5.6.

    `target` (a program) and `function`: another place of the same type; since Linux 5.10. The
    function is global, and its BTF is that of its program.
    """
    why = {
        errno.EBUSY: "another program replaces it already",
        errno.EINVAL: "the function is static, of another type, or may not be extended",
        errno.ENOENT: "the program was attached once: say again what to (target=, function=)",
    }
    if target is None:
        if function:
            raise KernelError("freplace: function= says which of target=, which is not given")
        if not cookie:
            return _open(program, "the function it was loaded for", why, "5.6", 0, "")
        return _create(program, "the function it was loaded for", why, "6.0", tracing_cookie=cookie)
    _since("5.10", "attaching freplace to another program than it was loaded for")
    target = getattr(target, "raw", target)  # the program of an object, or its handle
    place = f"{function or program.name}() of program {target.name}"
    number = _function(target, function or program.name)
    fields = {"target_fd": target.fd, "target_btf_id": number, "tracing_cookie": cookie}
    if not cookie:
        del fields["tracing_cookie"]
    return _create(program, place, why, "5.10", **fields)


def _function(target: LinuxProgram, name: str) -> int:
    """The BTF type id of a loaded program's function."""
    from ebee.btf import Func
    from ebee.linux.targets import program_btf

    found = program_btf(target).get(name, Func)
    if found is None:
        raise KernelError(f"program {target.name} has no function {name!r}", errno.ENOENT)
    return found.id


def _since(version: str, what: str) -> None:
    if older_than(version):
        text = f"{what} requires Linux >= {version}; this is {version_text()}"
        raise KernelError(text, errno.EOPNOTSUPP)


def _open(
    program: LinuxProgram,
    target: str,
    why: dict[int, str],
    since: str,
    cookie: int,
    cookie_since: str,
    **fields: Any,
) -> Link:
    """BPF_RAW_TRACEPOINT_OPEN, which makes links of all these kinds on every kernel."""
    if cookie:
        _since(cookie_since, f"a cookie for {target}")
        fields["cookie"] = cookie
    try:
        return Link(open_fd("RAW_TRACEPOINT_OPEN", prog_fd=program.fd, **fields), target)
    except OSError as error:
        raise attach_error(error, program, target, why, since, NEEDS) from None


def _create(
    program: LinuxProgram, target: str, why: dict[int, str], since: str, **fields: Any
) -> Link:
    return create(
        program, target, {"attach_type": program.attach_type, **fields}, why, since, NEEDS
    )
