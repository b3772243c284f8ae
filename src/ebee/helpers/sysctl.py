"""Helpers for programs that watch /proc/sys (kernel/bpf/cgroup.c)."""

from ebee.helpers import Helper

_NO_SYSCTL = {"machine": "for sysctl programs, which the machine does not run yet"}
_OUT = "ctx: ctx[bpf_sysctl], buf: mem_out[buf_len] as char, buf_len: size[ulong] -> long"

HELPERS = (
    Helper(
        101, "sysctl_get_name",
        "ctx: ctx[bpf_sysctl], buf: mem_rw[buf_len] as char, buf_len: size[ulong], flags: u64 "
        "-> long", "5.2",
        "The name of the knob, as a path below /proc/sys or (BPF_F_SYSCTL_BASE_NAME) its last "
        "part.", missing=_NO_SYSCTL,
    ),
    Helper(
        102, "sysctl_get_current_value", _OUT, "5.2", "The value that the knob has now.",
        missing=_NO_SYSCTL,
    ),
    Helper(
        103, "sysctl_get_new_value", _OUT, "5.2",
        "The value that is being written; -EINVAL on a read.", missing=_NO_SYSCTL,
    ),
    Helper(
        104, "sysctl_set_new_value",
        "ctx: ctx[bpf_sysctl], buf: mem[buf_len] as char, buf_len: size[ulong] -> long", "5.2",
        "Replace the value that is being written.", missing=_NO_SYSCTL,
    ),
)  # fmt: skip
