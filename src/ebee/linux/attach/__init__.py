"""Attaching, by mechanism: the few ways in which all hooks of Linux take a program.

Each function takes a loaded program and says where; MECHANISMS names them as the declarations of
hooks do. A module per kind of place, imported when it is first used; their names are plural where
the functions' are singular (`attach.cgroup` is the function).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ebee.errors import KernelError

if TYPE_CHECKING:
    from ebee.linux.links import Link

# By mechanism, and by the program's type where that makes a difference: "module:function" here.
MECHANISMS: dict[str, dict[str, str]] = {
    "netdev": {"xdp": "network:xdp", "sched_cls": "network:tcx"},
    "cgroup": {"": "cgroups:cgroup"},
    "netns": {"": "network:netns"},
    "netfilter": {"": "network:netfilter"},
    "raw_tracepoint": {"": "trampolines:raw_tracepoint", "tracing": "trampolines:tracing"},
    "tracing": {"": "trampolines:tracing"},
    "tracepoint": {"": "perf_events:tracepoint"},
}


def way(mechanism: str | None, type: str) -> Callable[..., Link]:
    """The function that attaches programs of a type by a mechanism of the declarations."""
    ways = MECHANISMS.get(mechanism or "", {})
    place = ways.get(type) or ways.get("")
    if place is None:
        raise KernelError(f"ebee cannot attach {type} programs ({mechanism}) yet")
    function: Callable[..., Link] = _function(place)
    return function


def _function(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"ebee.linux.attach.{module}"), name)


def __getattr__(name: str) -> Any:
    """Every way by its own name: `attach.xdp`."""
    if name == "interface":
        return _function("network:interface")
    for ways in MECHANISMS.values():
        for place in ways.values():
            if place.endswith(f":{name}"):
                return _function(place)
    raise AttributeError(f"module 'ebee.linux.attach' has no attribute {name!r}")
