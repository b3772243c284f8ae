"""Helpers on strings (kernel/bpf/helpers.c)."""

from ebee.helpers import Helper

_OPS = "ebee.helpers.string_ops"

HELPERS = (
    Helper(
        105, "strtol",
        "buf: mem[buf_len] as char, buf_len: size[ulong], flags: u64, res: out as long -> long",
        "5.2",
        "The signed number at the start of a text. Flags: its base (8, 10, 16, or 0 to guess). The "
        "number of characters used, -EINVAL without a digit, -ERANGE past 64 bits.",
        f"{_OPS}:strtol",
    ),
    Helper(
        106, "strtoul",
        "buf: mem[buf_len] as char, buf_len: size[ulong], flags: u64, res: out as ulong -> long",
        "5.2", "As strtol, for an unsigned number; a minus sign is -EINVAL.", f"{_OPS}:strtoul",
    ),
    Helper(
        182, "strncmp", "s1: mem[s1_sz] as char, s1_sz: size, s2: str -> long", "5.17",
        "Compare at most s1_sz characters of a text with a constant one: below, equal to or above "
        "zero.", f"{_OPS}:strncmp",
    ),
)  # fmt: skip
