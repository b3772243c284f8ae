"""What a kernel may be too old for and an object can do without: probed, as libbpf does.

A kernel at or past the release that brought a feature has it; an older one is asked, for
distributions take features back into their kernels. `has` is what loading asks.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import cache

from ebee.errors import KernelError
from ebee.isa import Insn, encode, lddw
from ebee.isa.insn import PSEUDO_MAP_VALUE
from ebee.linux import uapi
from ebee.linux.errors import older_than
from ebee.linux.host import kernel_symbols, version_code
from ebee.linux.sys import Fd, Value, call, open_fd

_PASS = "r0 = 0; exit"
NOBODY = (1 << 32) - 1  # process -1
_READ = "r1 = r10; r1 += -8; r2 = 8; r3 = 0; call 113; r0 = 0; exit"
_COOKIE = "call 174; r0 = 0; exit"
SYSCALL_WRAPPERS = ("__x64_sys_bpf", "__arm64_sys_bpf", "__s390x_sys_bpf", "__riscv_sys_bpf")


def _assembled(code: str) -> list[Insn]:
    from ebee.isa.asm import assemble  # a new kernel is asked nothing, and needs no assembler

    return assemble(code)


def _load(type: str, code: str | list[Insn], **attributes: Value) -> Fd:
    """A program of a few instructions; OSError when the kernel does not take it."""
    insns = _assembled(code) if isinstance(code, str) else code
    fields = {"prog_type": uapi.PROG_TYPES[type], "insn_cnt": len(insns), "insns": encode(insns)}
    old = {"kern_version": version_code()} if older_than("5.0") else {}
    return open_fd("PROG_LOAD", **fields, license="GPL", **old, **attributes)


def _array(**attributes: Value) -> Fd:
    number = uapi.MAP_TYPES["array"]
    return open_fd(
        "MAP_CREATE", map_type=number, key_size=4, value_size=8, max_entries=1, **attributes
    )


def _global_data() -> None:
    """An address in a map's value in an instruction."""
    with _array() as made:
        code = [*lddw(1, made.fileno(), PSEUDO_MAP_VALUE), *_assembled(_PASS)]
        _load("socket_filter", code).close()


def _binding() -> None:
    with _array() as made, _load("socket_filter", _PASS) as program:
        call("PROG_BIND_MAP", prog_fd=program, map_fd=made)


def _module_btf() -> None:
    """BTF that tells its name came with the BTF of modules."""
    from ebee.btf import BtfBuilder, Int
    from ebee.linux.btf import load_bytes
    from ebee.linux.info import object_info

    builder = BtfBuilder()
    builder.add(Int("int", 4, 1))
    with load_bytes(builder.bytes()) as made:
        object_info(made, "btf", name=bytearray(16), name_len=16)


def _uprobe_multi() -> None:
    """The folder "/" is no file to probe; process -1 is refused where processes are told from
    threads, which the first versions of it did not (EINVAL then)."""
    place: dict[str, Value] = {"uprobe_multi_offsets": bytes(8), "uprobe_multi_cnt": 1}
    number = uapi.ATTACH_TYPES["trace_uprobe_multi"]
    with _load("kprobe", _PASS, expected_attach_type=number) as program:
        place |= {"prog_fd": program, "attach_type": number}
        _refused(errno.EBADF, **place, uprobe_multi_path="/")
        _refused(errno.EINVAL, **place, uprobe_multi_path="/proc/self/exe", uprobe_multi_pid=NOBODY)


def _refused(code: int, **attributes: Value) -> None:
    """A link that cannot be made, for that reason and not for being unknown."""
    try:
        open_fd("LINK_CREATE", **attributes).close()
    except OSError as error:
        if error.errno == code:
            return
        raise
    raise OSError(errno.EOPNOTSUPP, "it filters by thread")


def _syscall_wrapper() -> None:
    if not kernel_symbols(*SYSCALL_WRAPPERS):
        raise OSError(errno.ENOENT, "system calls are functions of their own names")


def _context_tag() -> None:
    """A global function may say by a tag which argument is the context."""
    from ebee.btf import BtfBuilder, DeclTag, Func, FuncProto, Int, Param, Ptr
    from ebee.btf.types import Linkage
    from ebee.linux.btf import LoadedBtf, load_bytes
    from ebee.obj.spec import FuncInfo

    builder = BtfBuilder()
    number = builder.add(Int("int", 4, 1))
    pointer = builder.add(Ptr(0))
    proto = builder.add(FuncProto(number, (Param("ctx", pointer),)))
    main = builder.add(Func("main", proto, Linkage.GLOBAL))
    tagged = builder.add(Func("sub", proto, Linkage.GLOBAL))
    builder.add(DeclTag("arg:ctx", tagged, 0))
    with load_bytes(builder.bytes()) as fd:
        btf = LoadedBtf(fd, builder.build())
        info = btf.func_info([FuncInfo("main", 0, main), FuncInfo("sub", 2, tagged)])
        text = "call pc+1; exit; r0 = *(u32 *)(r1 +0); r0 = 0; exit"
        debug = {"func_info": info, "func_info_rec_size": 8, "func_info_cnt": 2}
        _load("xdp", text, prog_btf_fd=fd, **debug).close()


PROBES: dict[str, tuple[str, Callable[[], object]]] = {
    "names": ("4.15", lambda: _array(map_name="probe").close()),
    "attach types": (
        "4.17",
        lambda: _load("cgroup_sock", _PASS, expected_attach_type=2).close(),
    ),
    "global data": ("5.2", _global_data),
    "arrays in memory": ("5.5", lambda: _array(map_flags=uapi.BPF_F_MMAPABLE).close()),
    "probe_read_kernel": ("5.5", lambda: _load("tracepoint", _READ).close()),
    "maps bound to programs": ("5.10", _binding),
    "BTF of modules": ("5.11", _module_btf),
    "cookies": ("5.15", lambda: _load("tracepoint", _COOKIE).close()),
    "uprobe.multi": ("", _uprobe_multi),
    "context tags": ("6.8", _context_tag),
    "system call wrappers": ("", _syscall_wrapper),
}
"""Feature -> (the release since which every kernel has it, "" when it is configurable; what works
only with it)."""


@cache
def has(feature: str) -> bool:
    """Whether the running kernel has a feature of PROBES."""
    since, probe = PROBES[feature]
    if since and not older_than(since):
        return True
    try:
        probe()
    except (OSError, KernelError):
        return False
    return True
