"""Attaching, by mechanism: the few ways in which all hooks of Linux take a program.

Each function takes a loaded program and says where; MECHANISMS names them as the declarations of
hooks do. A module per kind of place, imported when it is first used; their names are plural where
the functions' are singular (`attach.cgroup` is the function).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ebee.errors import KernelError, ObjectError
from ebee.hooks import by_name

if TYPE_CHECKING:
    from ebee.linux.links import Link
    from ebee.linux.maps import LinuxMap
    from ebee.linux.programs import LinuxProgram
    from ebee.obj.spec import ProgramSpec

# By mechanism, and by the program's type where that makes a difference: "module:function" here.
MECHANISMS: dict[str, dict[str, str]] = {
    "netdev": {"xdp": "network:xdp", "sched_cls": "network:tcx"},
    "cgroup": {"": "cgroups:cgroup"},
    "netns": {"": "network:netns"},
    "netkit": {"": "network:netkit"},
    "tc": {"": "netlinks:tc"},
    "route": {"": "netlinks:route"},
    "socket": {"socket_filter": "sockets:socket", "sk_reuseport": "sockets:reuseport"},
    "sockmap": {"": "sockets:sockmap"},
    "netfilter": {"": "network:netfilter"},
    "raw_tracepoint": {"": "trampolines:raw_tracepoint", "tracing": "trampolines:tracing"},
    "tracing": {"": "trampolines:tracing"},
    "freplace": {"": "trampolines:freplace"},
    "tracepoint": {"": "perf_events:tracepoint"},
    "perf_event": {"": "perf_events:perf_event"},
    "iterator": {"": "iterators:iterator"},
    "kprobe": {"": "kprobes:kprobe"},
    "ksyscall": {"": "kprobes:ksyscall"},
    "kprobe_multi": {"": "kprobes:kprobe_multi"},
    "uprobe": {"": "uprobes:uprobe"},
    "uprobe_multi": {"": "uprobes:uprobe_multi"},
    "usdt": {"": "markers:usdt_marker"},
}


def attach(
    spec: ProgramSpec,
    program: LinuxProgram,
    target: Any = None,
    options: Mapping[str, Any] = MappingProxyType({}),
    maps: Mapping[str, LinuxMap] = MappingProxyType({}),
) -> Link:
    """Attach an object's program as its hook says, to `target` or what its section names.

    ObjectError for options that its way of attaching does not have, or a target that is missing.
    """
    hook = by_name(spec.hook)
    function = way(hook.attach if hook else None, program.type)
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    given = dict(options)
    wanted = names[0] if code.co_argcount > 1 else ""
    if target is None and wanted:
        target = given.pop(wanted, None)
        if target is None and hook and hook.target is None:
            target = spec.attach_to or None
    own = {**said_by_section(spec), "maps": maps, "spec": spec}
    unknown = [name for name in given if name not in names[bool(wanted) :] or name in INTERNAL]
    if unknown or (target is None and wanted and wanted not in OPTIONAL):
        fault = f"no option {unknown[0]!r}" if unknown else f"needs {wanted}="
        takes = ", ".join(name for name in names if name not in INTERNAL) or "nothing"
        raise ObjectError(f"program {spec.name}: attaching {spec.hook} {fault}; it takes {takes}")
    for name, value in own.items():
        if name in names:
            given.setdefault(name, value)
    if target is None:
        return function(program, **given)
    if not wanted:
        text = f"program {spec.name}: attaching {spec.hook} takes no target: it was loaded for one"
        raise ObjectError(text)
    return function(program, target, **given)


INTERNAL = {"maps", "spec"}
"""Arguments that the object gives, not its user."""
OPTIONAL = {"event", "target", "namespace"}
"""Targets that need not be named."""


AUTOMATIC = {
    "tracepoint", "raw_tracepoint", "tracing", "kprobe", "ksyscall", "kprobe_multi", "uprobe",
    "uprobe_multi", "usdt", "iterator", "freplace",
}  # fmt: skip
"""Mechanisms whose programs say in their section all that it takes to attach them."""
WALKED = {"bpf_map_elem", "bpf_sk_storage_map", "sockmap", "cgroup"}
"""Iterators that must be given what they walk."""


def automatic(spec: ProgramSpec) -> bool:
    """Whether a program can be attached without being told where, as `LinuxObject.attach` does."""
    hook = by_name(spec.hook)
    if hook is None or hook.attach not in AUTOMATIC:
        return False
    if hook.attach == "iterator":
        return spec.attach_to not in WALKED
    return hook.target is not None or bool(spec.attach_to)


def said_by_section(spec: ProgramSpec) -> dict[str, Any]:
    """Options of attaching that the section decides."""
    from ebee.hooks import for_section
    from ebee.linux import uapi

    types = {number: name for name, number in uapi.ATTACH_TYPES.items()}
    name = types.get(spec.attach_type, "")
    found: dict[str, Any] = {"session": name.endswith("_session")}
    if "cgroup" in name:
        found["attach_type"] = name
    if name.startswith("tcx_"):
        found["direction"] = name[4:]
    section = for_section(spec.section.removeprefix("?"))
    if section is not None:
        found["on_return"] = section[1].on_return
    return found


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
        return _function("interfaces:interface")
    for ways in MECHANISMS.values():
        for place in ways.values():
            if place.endswith(f":{name}"):
                return _function(place)
    raise AttributeError(f"module 'ebee.linux.attach' has no attribute {name!r}")
