"""Why an operation on an element failed, in words: by operation and error number."""

from __future__ import annotations

from ebee.abi.errno import (
    E2BIG,
    EBADF,
    EEXIST,
    EINVAL,
    ENOENT,
    ENOMEM,
    ENOSPC,
    ENOTSUPP,
    EOPNOTSUPP,
    EPERM,
    NAMES,
)
from ebee.errors import KernelError

_WHY = {
    ("update", EEXIST): "the key is there already (BPF_NOEXIST)",
    ("update", ENOENT): "the key is not there (BPF_EXIST)",
    ("update", ENOSPC): "the map is full (max_entries is {max_entries})",
    ("delete", ENOENT): "the key is not there",
    ("delete", EINVAL): "elements of this map cannot be deleted",
    ("", EPERM): "the map is frozen, or made read-only or write-only for user space",
    ("", ENOTSUPP): "a {type} map has no such operation",
    ("", EOPNOTSUPP): "a {type} map has no such operation",
    ("", EINVAL): "the key, the value or the flags are not valid for a {type} map",
    ("", ENOMEM): "no memory for another element",
    ("", EBADF): "the value names nothing that this map can hold",
    ("", E2BIG): "the map is full (max_entries is {max_entries})",
}
_INDEX = "the index is not below max_entries ({max_entries})"
_DOING = {
    "next_key": "read the key after {key}", "lookup_batch": "look up a batch of elements",
    "lookup_and_delete_batch": "take a batch of elements",
}  # fmt: skip
"""What operations are called that do something else with a key than their name says."""


def doing(what: str, key: bytes) -> str:
    """An operation in words; `key` is b"" where there is none."""
    if what == "next_key" and not key:
        return "read the first key"
    plain = f"{what.replace('_', ' ')} key {{key}}" if key else what.replace("_", " ")
    return _DOING.get(what, plain).format(key=key.hex())


def refusal(
    name: str, type: str, max_entries: int, what: str, key: bytes, code: int, indexed: bool
) -> KernelError:
    """The error of operation `what` on a key; `indexed`: keys of the map are indexes."""
    why = _WHY.get((what, code)) or _WHY.get(("", code)) or "it was refused"
    if code == E2BIG and indexed:
        why = _INDEX
    why = why.format(type=type, max_entries=max_entries)
    text = f"map {name}: cannot {doing(what, key)}: {why}"
    return KernelError(f"{text} [{NAMES.get(code, code)}]", code)
