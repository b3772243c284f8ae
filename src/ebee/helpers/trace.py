"""Helpers that print, and those about the traced function (kernel/trace/bpf_trace.c)."""

from ebee.helpers import Helper

_OPS = "ebee.helpers.trace_ops"
_NO_SEQ = {"machine": "writes to the seq_file of an iterator: the machine has no iterators"}
_NO_FUNCTION = {"machine": "needs a traced kernel or user function: the machine has none"}
_NO_BTF = {"machine": "prints kernel objects by their BTF: the machine has none"}

HELPERS = (
    Helper(
        6, "trace_printk",
        "fmt: mem[fmt_size] as char, fmt_size: size, args: variadic -> long", "4.1",
        "Print to the trace log, with up to three values. The number of bytes, or -EINVAL when the "
        "format is not among the known ones.", f"{_OPS}:trace_printk", gpl=True,
    ),
    Helper(
        58, "override_return", "regs: ctx[pt_regs], rc: u64 -> long", "4.16",
        "Leave the probed function at once with this result (error injection).",
        gpl=True, missing=_NO_FUNCTION,
    ),
    Helper(
        126, "seq_printf",
        "m: btf[seq_file], fmt: mem[fmt_size] as char, fmt_size: size, data: mem[data_len]?, "
        "data_len: size0 -> long", "5.8",
        "Print into the file that reads an iterator; values are an array of u64.",
        gpl=True, missing=_NO_SEQ,
    ),
    Helper(
        127, "seq_write", "m: btf[seq_file], data: mem[len], len: size0 -> long", "5.8",
        "Write bytes into the file that reads an iterator.", gpl=True, missing=_NO_SEQ,
    ),
    Helper(
        149, "snprintf_btf",
        "str: mem_rw[str_size] as char, str_size: size, ptr: mem[btf_ptr_size] as btf_ptr, "
        "btf_ptr_size: size, flags: u64 -> long", "5.10",
        "Print a kernel object as text, following its BTF type.", missing=_NO_BTF,
    ),
    Helper(
        150, "seq_printf_btf",
        "m: btf[seq_file], ptr: mem[ptr_size] as btf_ptr, ptr_size: size0, flags: u64 -> long",
        "5.10", "As snprintf_btf, into the file that reads an iterator.", gpl=True, missing=_NO_SEQ,
    ),
    Helper(
        165, "snprintf",
        "str: mem_rw[str_size]? as char, str_size: size0, fmt: str, data: mem[data_len]? as u64, "
        "data_len: size0 -> long", "5.13",
        "Print into a buffer; values are an array of u64. The length of the whole text with its "
        "NUL, also when it was cut.", f"{_OPS}:snprintf", gpl=True,
    ),
    Helper(
        173, "get_func_ip", "ctx: ctx -> u64", "5.15",
        "The address of the function that is traced or probed.", gpl=True,
        gpl_except=("kprobe.multi", "kprobe.session", "uprobe.multi", "uprobe.session"),
        missing=_NO_FUNCTION,
    ),
    Helper(
        174, "get_attach_cookie", "ctx: ctx -> u64", "5.15",
        "The number that was given along when this program was attached; 0 if none.",
        missing=_NO_FUNCTION,
    ),
    Helper(
        177, "trace_vprintk",
        "fmt: mem[fmt_size] as char, fmt_size: size, data: mem[data_len]?, data_len: size0 -> long",
        "5.16", "As trace_printk, with up to twelve values in an array of u64.",
        f"{_OPS}:trace_vprintk", gpl=True,
    ),
    Helper(
        183, "get_func_arg", "ctx: ctx, n: u32, value: out as u64 -> long", "5.17",
        "Argument number n of the traced function; -EINVAL when it has fewer.",
        missing=_NO_FUNCTION,
    ),
    Helper(
        184, "get_func_ret", "ctx: ctx, value: out as u64 -> long", "5.17",
        "The result of the traced function; -EOPNOTSUPP where there is none yet.",
        missing=_NO_FUNCTION,
    ),
    Helper(
        185, "get_func_arg_cnt", "ctx: ctx -> long", "5.17",
        "The number of arguments of the traced function.", missing=_NO_FUNCTION,
    ),
)  # fmt: skip
