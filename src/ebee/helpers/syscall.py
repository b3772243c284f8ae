"""Helpers for programs that make system calls (kernel/bpf/syscall.c, kernel/bpf/btf.c)."""

from ebee.helpers import Helper

_NO_KERNEL = {"machine": "for syscall programs, which act on the kernel: the machine has none"}

HELPERS = (
    Helper(
        166, "sys_bpf", "cmd: u32, attr: mem_rw[attr_size], attr_size: size -> long", "5.14",
        "The bpf() system call.", sleeps=True, missing=_NO_KERNEL,
    ),
    Helper(
        167, "btf_find_by_name_kind",
        "name: mem[name_sz] as char, name_sz: size[int], kind: u32, flags: int -> long", "5.14",
        "The id of a BTF type of the kernel, and in the high half the file descriptor of its "
        "module.", sleeps=True, missing=_NO_KERNEL,
    ),
    Helper(
        168, "sys_close", "fd: u32 -> long", "5.14", "Close a file descriptor.",
        sleeps=True, missing=_NO_KERNEL,
    ),
    Helper(
        179, "kallsyms_lookup_name",
        "name: mem[name_sz] as char, name_sz: size0[int], flags: int, res: out as u64 -> long",
        "5.16", "The address of a kernel symbol; -ENOENT when there is none.", missing=_NO_KERNEL,
    ),
)  # fmt: skip
