"""Contexts by the names of their members, for test runs: to bytes and back, as the hooks declare
them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ebee.errors import KernelError
from ebee.hooks import Hook, by_prog_type
from ebee.linux import uapi


def pack(prog_type: str, members: Mapping[str, Any], data: bytes = b"") -> bytes:
    """A context of a program type ("xdp") from some of its members; the others are zero.

    An XDP context's `data_end` is the length of the packet, metadata included, unless it is given.
    KernelError for members that the context does not have, or values that do not fit.
    """
    hook = _hook(prog_type)
    fields = {field.name: field for field in hook.fields}
    raw = bytearray(_size(hook))
    given = {"data_end": len(data), **members} if prog_type == "xdp" else dict(members)
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            known = ", ".join(fields)
            raise KernelError(
                f"the context of {prog_type} programs has no {name!r}; it has {known}"
            )
        values = [value] if field.count == 1 else list(value)
        if len(values) > field.count:
            raise KernelError(f"{name} has {field.count} elements, not {len(values)}")
        for n, each in enumerate(values):
            at = field.offset + n * field.size
            try:
                raw[at : at + field.size] = int(each).to_bytes(field.size, sys.byteorder)
            except (OverflowError, ValueError):
                raise KernelError(
                    f"{name} has {field.size} bytes, and cannot be {each!r}"
                ) from None
    return bytes(raw)


def unpack(prog_type: str, raw: bytes) -> dict[str, Any]:
    """The members of a context, as far as the bytes go."""
    found: dict[str, Any] = {}
    for field in _hook(prog_type).fields:
        if field.end <= len(raw):
            places = range(field.offset, field.end, field.size)
            values = [int.from_bytes(raw[at : at + field.size], sys.byteorder) for at in places]
            found[field.name] = values if field.count > 1 else values[0]
    return found


def _hook(prog_type: str) -> Hook:
    hook = by_prog_type(uapi.PROG_TYPES.get(prog_type, -1))
    if hook is None or not hook.fields:
        raise KernelError(f"the context of {prog_type} programs has no named members: give bytes")
    return hook


def _size(hook: Hook) -> int:
    """Bytes of the context, up to the last member that such programs can read."""
    return (max(field.end for field in hook.fields) + 7) & ~7
