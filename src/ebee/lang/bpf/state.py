"""What the handlers of BPF mode share: the unit that a function belongs to, as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ebee.lang.bpf.unit import BpfUnit
    from ebee.lang.function import Function


def unit_of(f: Function) -> BpfUnit:
    """The module that a function is compiled into."""
    return cast("BpfUnit", f.unit)
