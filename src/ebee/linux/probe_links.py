"""Probes of links: every way of attaching, tried for an instant with a program that does nothing.

Networking happens in a network namespace of its own; what traces, traces a function that only
tests call, this process's own page faults, or a function of this very program.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.linux import uapi
from ebee.linux.attach.iterators import iterator
from ebee.linux.attach.kprobes import kprobe, kprobe_multi
from ebee.linux.attach.network import netfilter, netns, tcx, xdp
from ebee.linux.attach.perf_events import perf_event
from ebee.linux.attach.trampolines import freplace, raw_tracepoint, tracing
from ebee.linux.attach.uprobes import uprobe, uprobe_multi
from ebee.linux.finding import Finding, attempt
from ebee.linux.links import Link
from ebee.linux.netns import in_new_netns
from ebee.linux.programs import LinuxProgram

TRACED = "bpf_fentry_test1"
"""A kernel function that runs only in test runs of tracing programs."""
MODIFIED = "security_task_getpgid"
"""A function whose result programs may replace on every kernel."""


def links() -> Iterator[Finding]:
    """Every kind of link."""
    for name, (since, function) in LINKS.items():
        yield attempt(f"link: {name}", since, function)


def _program(type: str, attach_type: str = "", verdict: int = 0, target: str = "") -> LinuxProgram:
    options: dict[str, Any] = {}
    if attach_type:
        options["attach_type"] = uapi.ATTACH_TYPES[attach_type]
    if target:
        from ebee.btf import Btf, Func, Typedef

        kind = Typedef if target.startswith("btf_trace_") else Func
        options["attach_btf_id"] = Btf.vmlinux().find(target, kind).id
    code = assemble(f"r0 = {verdict}; exit")
    return LinuxProgram.load(code, type, name="probe", **options)


def _link(function: Callable[[LinuxProgram], Link], *program: Any) -> None:
    with _program(*program) as made:
        function(made).close()


def _in_netns(function: Callable[[LinuxProgram], Link], *program: Any) -> None:
    in_new_netns(partial(_link, function, *program))


def _here(program: LinuxProgram) -> Link:
    """A uprobe on the C library, for this process alone."""
    return uprobe(program, "libc.so.6", function="getpgid", pid=0)


def _many_here(program: LinuxProgram) -> Link:
    return _really(uprobe_multi(program, "libc.so.6", function=["getpgid"], pid=0))


def _many_functions(program: LinuxProgram) -> Link:
    return _really(kprobe_multi(program, [TRACED]))


def _really(link: Link) -> Link:
    """A link of the kernel's own kind, not single probes in its place."""
    if link.info().type == "perf_event":
        link.close()
        raise KernelError("this kernel has single probes instead", errno.EOPNOTSUPP)
    return link


def _session_here(program: LinuxProgram) -> Link:
    return uprobe_multi(program, "libc.so.6", function=["getpgid"], pid=0, session=True)


def _faults(program: LinuxProgram) -> Link:
    return perf_event(program, "page-faults", period=1 << 30, pid=os.getpid())


def _kernel_function(program: LinuxProgram) -> Link:
    return kprobe(program, TRACED)


def _replaced() -> None:
    """freplace wants a program with BTF that has a global function; loading says whether it may."""
    import struct

    from ebee.btf import BtfBuilder, Func, FuncProto, Int, Param
    from ebee.isa.insn import CALL, JMP, Insn
    from ebee.linux.btf import load_bytes

    types = BtfBuilder()
    number = types.add(Int("int", 4, 1, 32))
    proto = types.add(FuncProto(number, (Param("x", number),)))
    main, inner = (types.add(Func(name, proto, 1)) for name in ("main", "inner"))
    code = [*assemble("r1 = 0"), Insn(JMP | CALL, src=1, imm=1), *assemble("exit; r0 = 5; exit")]
    with (
        load_bytes(types.bytes()) as btf,
        LinuxProgram.load(
            code, "socket_filter", btf=btf, func_info=struct.pack("=4I", 0, main, 3, inner)
        ) as old,
        LinuxProgram.load(
            assemble("r0 = 7; exit"), "ext", btf=btf, func_info=struct.pack("=2I", 0, inner),
            attach_prog_fd=old.fd, attach_btf_id=inner,
        ) as new,
        freplace(new),
    ):  # fmt: skip
        pass


LINKS: dict[str, tuple[str, Callable[[], None]]] = {
    "XDP": ("5.9", partial(_in_netns, lambda p: xdp(p, 1, "generic", "link"), "xdp")),
    "tcx": ("6.6", partial(_in_netns, lambda p: tcx(p, 1, by="link"), "sched_cls")),
    "netfilter": ("6.4", partial(
        _in_netns, lambda p: netfilter(p, 2, 0, -100), "netfilter", "netfilter",
        1,
    )),
    "sk_lookup": ("5.9", partial(
        _in_netns, lambda p: netns(p, "/proc/thread-self/ns/net"), "sk_lookup",
        "sk_lookup", 1,
    )),
    "raw tracepoint": ("4.17", partial(
        _link, partial(raw_tracepoint, name="task_rename"), "raw_tracepoint"
    )),
    "typed tracepoint (tp_btf)": ("5.5", partial(
        _link, tracing, "tracing", "trace_raw_tp", 0, "btf_trace_task_rename"
    )),
    "fentry": ("5.5", partial(_link, tracing, "tracing", "trace_fentry", 0, TRACED)),
    "fexit": ("5.5", partial(_link, tracing, "tracing", "trace_fexit", 0, TRACED)),
    "fmod_ret": ("5.7", partial(_link, tracing, "tracing", "modify_return", 0, MODIFIED)),
    "freplace": ("5.6", _replaced),
    "LSM": ("5.7", partial(_link, tracing, "lsm", "lsm_mac", 0, "bpf_lsm_sb_free_security")),
    "iterator": ("5.8", partial(
        _link, iterator, "tracing", "trace_iter", 0, "bpf_iter_bpf_map"
    )),
    "perf event": ("4.9", partial(_link, _faults, "perf_event")),
    "kprobe": ("4.1", partial(_link, _kernel_function, "kprobe")),
    "kprobe.multi": ("5.18", partial(_link, _many_functions, "kprobe", "trace_kprobe_multi")),
    "kprobe.session": ("6.10", partial(
        _link, partial(kprobe_multi, function=[TRACED], session=True), "kprobe",
        "trace_kprobe_session",
    )),
    "uprobe": ("4.3", partial(_link, _here, "kprobe")),
    "uprobe.multi": ("6.6", partial(_link, _many_here, "kprobe", "trace_uprobe_multi")),
    "uprobe.session": ("6.13", partial(_link, _session_here, "kprobe", "trace_uprobe_session")),
}  # fmt: skip
