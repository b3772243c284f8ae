"""Attaching to functions of the kernel: kprobes, at any instruction; many functions at once."""

from __future__ import annotations

import errno
import itertools
import os
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ebee.errors import KernelError
from ebee.linux import perf, tracefs, uapi
from ebee.linux.attach.perf_events import Mode, attach_event
from ebee.linux.errors import older_than
from ebee.linux.links import Guarded, Link, all_of, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import address

NEEDS = ("CAP_BPF", "CAP_PERFMON")
# How the kernel calls the functions of system calls (arch/*/include/asm/syscall_wrapper.h); before
# Linux 4.17, and on machines that are not here, it is sys_NAME.
WRAPPERS = {
    "x86_64": "__x64_sys_", "aarch64": "__arm64_sys_", "s390x": "__s390x_sys_",
    "riscv64": "__riscv_sys_", "ppc64le": "sys_",
}  # fmt: skip
_COUNTER = itertools.count()
_PLACE = re.compile(r"(?P<name>[^+]+?)(?:\+(?P<offset>0x[0-9a-fA-F]+|\d+))?")


def place(text: str) -> tuple[str, int]:
    """ "do_exit+0x10" as its function and offset; KernelError when it is neither."""
    found = _PLACE.fullmatch(text.strip())
    if found is None:
        raise KernelError(f"{text!r} is no place in a function: NAME, NAME+OFFSET")
    return found["name"], int(found["offset"] or "0", 0)


def kprobe(
    program: LinuxProgram,
    function: str | int,
    *,
    offset: int = 0,
    on_return: bool = False,
    cookie: int = 0,
    mode: Mode = "auto",
) -> Link:
    """Attach to an instruction of the kernel, or to the return from a function. Since Linux 4.1.

    `function`: its name ("do_exit", "do_exit+0x10", "module:name"), or the instruction's address;
    `offset`: bytes behind its beginning. `cookie`: what bpf_get_attach_cookie() gives, since 5.15.
    """
    name, behind = place(function) if isinstance(function, str) else ("", 0)
    offset += behind
    if on_return and offset:
        raise KernelError(f"the return from {name} has no offset, and {offset:#x} is given")
    where = f"{name}+{offset:#x}" if offset else name or hex(int(function))
    target = f"{'kretprobe' if on_return else 'kprobe'} {where}"
    kind = perf.unit_type("kprobe") if mode != "tracefs" else None
    why = {
        errno.ENOENT: f"this kernel has no function {name!r}",
        errno.EINVAL: "it may not be probed (the kernel's own tracing uses it), or there are"
        " several of that name",
        errno.EILSEQ: "no instruction begins there",
        errno.EADDRNOTAVAIL: f"there are several functions {name!r}: give the address of one",
        errno.EBUSY: "there is a breakpoint of the kernel's own",
    }
    if kind is None and mode != "tracefs" and not older_than("4.17"):
        text = "this kernel was built without kprobes (CONFIG_KPROBE_EVENTS)"
        raise KernelError(
            f"cannot attach program {program.name!r} to {target}: {text}", errno.EOPNOTSUPP
        )
    if kind is None:
        return _by_tracefs(program, target, where, on_return, cookie, mode)
    if isinstance(function, str):
        keep = name.encode() + b"\0"
        event = perf.Event(kind, int(on_return), address(keep), offset, keep=keep)
    else:
        event = perf.Event(kind, int(on_return), 0, function + offset)
    return attach_event(program, target, event, cookie=cookie, mode=mode, why=why)


def _by_tracefs(
    program: LinuxProgram, target: str, where: str, on_return: bool, cookie: int, mode: Mode
) -> Link:
    """As before Linux 4.17: the probe is made by writing a line; it is removed with the link."""
    doing = f"attach program {program.name!r} to {target}"
    if not os.path.exists(f"{tracefs.root(doing)}/kprobe_events"):
        text = f"cannot {doing}: this kernel was built without kprobes (CONFIG_KPROBES)"
        raise KernelError(text, errno.EOPNOTSUPP)
    return traced(
        program, target, "kprobe", f"{'r' if on_return else 'p'}:ebee/{{}} {where}", cookie, mode
    )


def traced(
    program: LinuxProgram, target: str, kind: str, definition: str, cookie: int, mode: Mode
) -> Link:
    """Attach to a probe event of tracefs that is made for this link, and goes with it.

    `definition`: the line that makes it, with {} where its name goes. If this process is killed the
    event stays, doing nothing.
    """
    name = f"p{os.getpid()}_{next(_COUNTER)}"
    doing = f"attach program {program.name!r} to {target}"
    number = tracefs.add_probe(kind, definition.format(name), name, doing)
    event = perf.Event(perf.TYPES["tracepoint"], number)
    try:
        link = attach_event(
            program, target, event, cookie=cookie, mode="auto" if mode == "tracefs" else mode
        )
    except KernelError:
        tracefs.remove_probe(kind, name)
        raise
    return Guarded(link, partial(tracefs.remove_probe, kind, name))


def ksyscall(
    program: LinuxProgram,
    name: str,
    *,
    on_return: bool = False,
    cookie: int = 0,
    mode: Mode = "auto",
) -> Link:
    """Attach to a system call by its name ("openat") on every machine. Since Linux 4.1."""
    for prefix in (WRAPPERS.get(os.uname().machine, "sys_"), "sys_", "SyS_"):
        try:
            return kprobe(program, prefix + name, on_return=on_return, cookie=cookie, mode=mode)
        except KernelError as error:
            if error.errno != errno.ENOENT:
                raise
    raise KernelError(f"this kernel has no system call {name!r}", errno.ENOENT)


# -- many at once ----------------------------------------------------------------------------------


def kprobe_multi(
    program: LinuxProgram,
    function: str | Sequence[str] | Sequence[int],
    *,
    on_return: bool = False,
    session: bool = False,
    cookies: Mapping[str, int] | Sequence[int] | None = None,
) -> Link:
    """Attach to the entry of, or return from, many functions at once. Since Linux 5.18.

    `function`: a pattern ("tcp_*", with * and ?), names, or addresses. `session` (Linux 6.10):
    both entry and return, as the program was loaded for. `cookies`: by name or in order, what
    bpf_get_attach_cookie() gives at each. Before 5.18 a pattern is as many kprobes.
    """
    since = "6.10" if session else "5.18"
    kind = "trace_kprobe_session" if session else "trace_kprobe_multi"
    names, addresses = functions(function, f"attach program {program.name!r}")
    target = f"{len(names)} functions" if len(names) > 1 else names[0]
    if older_than(since) and not session:
        single = dict(zip(names, cookie_list(names, cookies), strict=True))
        return all_of(
            (kprobe(program, n, on_return=on_return, cookie=c) for n, c in single.items()), target
        )
    fields: dict[str, Any] = {
        "attach_type": uapi.ATTACH_TYPES[kind],
        "kprobe_multi_flags": uapi.BPF_F_KPROBE_MULTI_RETURN * (on_return and not session),
        "kprobe_multi_cnt": len(names),
    }
    texts = [name.encode() + b"\0" for name in names]
    if all(addresses):
        fields["kprobe_multi_addrs"] = array("Q", addresses).tobytes()
    else:
        fields["kprobe_multi_syms"] = array("Q", map(address, texts)).tobytes()
    if cookies is not None:
        fields["kprobe_multi_cookies"] = array("Q", cookie_list(names, cookies)).tobytes()
    missing = f"one of these is no function that can be traced: {', '.join(names[:10])}"
    why = {
        errno.ESRCH: missing,
        errno.ENOENT: missing,
        errno.EINVAL: "the program was not loaded for many functions (SEC kprobe.multi), or "
        + missing,
        errno.EOPNOTSUPP: "this kernel was built without fprobe (CONFIG_FPROBE)",
    }
    return create(program, target, fields, why, since, NEEDS)


def cookie_list(
    names: Sequence[str], cookies: Mapping[str, int] | Sequence[int] | None
) -> list[int]:
    """Cookies in the order of names; KernelError when they do not fit."""
    if cookies is None:
        return [0] * len(names)
    if isinstance(cookies, Mapping):
        unknown = sorted(set(cookies) - set(names))
        if unknown:
            raise KernelError(f"there are cookies for {', '.join(unknown)}, which is not attached")
        return [cookies.get(name, 0) for name in names]
    if len(cookies) != len(names):
        raise KernelError(f"{len(cookies)} cookies for {len(names)} functions")
    return list(cookies)


def functions(
    wanted: str | Sequence[str] | Sequence[int], doing: str
) -> tuple[list[str], list[int]]:
    """The functions that a pattern, names or addresses mean: names, and addresses where known."""
    if isinstance(wanted, str) and set("*?[") & set(wanted):
        return _matching(wanted, doing)
    if isinstance(wanted, str):
        wanted = [wanted]
    if not wanted:
        raise KernelError(f"cannot {doing}: no function is named")
    names = [f if isinstance(f, str) else hex(f) for f in wanted]
    return names, [f if isinstance(f, int) else 0 for f in wanted]


def _matching(pattern: str, doing: str) -> tuple[list[str], list[int]]:
    from fnmatch import translate

    matches = re.compile(translate(pattern)).match
    found = [(name, at) for name, at in tracefs.traceable(doing) if matches(name)]
    if found and not found[0][1]:
        found = list(_located({name for name, _ in found}))
    if not found:
        text = f"no function that can be traced matches {pattern!r}"
        raise KernelError(f"cannot {doing}: {text}", errno.ENOENT)
    return [name for name, _ in found], [at for _, at in found]


def _located(names: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Functions with their addresses: by name alone the kernel takes only one of several."""
    from ebee.linux.symbols.kernel import KernelSymbols

    yield from KernelSymbols.load().all_named(names)
