"""Helpers on kernel objects, files and variables (kernel/bpf/helpers.c, kernel/bpf/bpf_lsm.c)."""

from ebee.helpers import Helper

_NO_OBJECTS = {"machine": "works on kernel objects: the machine has none"}
_NO_KPTR = {"machine": "kernel pointers in maps: the machine has no kernel objects"}

HELPERS = (
    Helper(
        147, "d_path", "path: btf[path], buf: mem_rw[sz] as char, sz: size0 -> long", "5.10",
        "The full name of a path; the result is its length with the NUL.", missing=_NO_OBJECTS,
    ),
    Helper(
        153, "per_cpu_ptr", "percpu_ptr: percpu_btf, cpu: u32 -> percpu_mem?", "5.10",
        "One CPU's copy of a per-CPU kernel variable; null for an unknown CPU.",
        missing=_NO_OBJECTS,
    ),
    Helper(
        154, "this_cpu_ptr", "percpu_ptr: percpu_btf -> percpu_mem", "5.10",
        "This CPU's copy of a per-CPU kernel variable.", missing=_NO_OBJECTS,
    ),
    Helper(
        159, "bprm_opts_set", "bprm: btf[linux_binprm], flags: u64 -> long", "5.11",
        "Ask for secure execution (AT_SECURE) of the program that is being started.",
        missing=_NO_OBJECTS,
    ),
    Helper(
        161, "ima_inode_hash", "inode: btf[inode], dst: mem_out[size], size: size -> long", "5.11",
        "The hash that the integrity measurement keeps of a file; the result is its algorithm.",
        sleeps=True, missing=_NO_OBJECTS,
    ),
    Helper(
        193, "ima_file_hash", "file: btf[file], dst: mem_out[size], size: size -> long", "5.18",
        "The hash of an open file, computed if needed; the result is its algorithm.",
        sleeps=True, missing=_NO_OBJECTS,
    ),
    Helper(
        194, "kptr_xchg", "map_value: kptr, ptr: own btf? -> own btf?", "5.19",
        "Exchange the kernel pointer that a map value keeps; the result is the old one.",
        missing=_NO_KPTR,
    ),
)  # fmt: skip
