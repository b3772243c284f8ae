"""`ebee link show`, `detach`, `pin`: the kernel's links, which hold programs where they run."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.options import json_option
from ebee.errors import ConfigError, KernelError

if TYPE_CHECKING:
    from ebee.linux.links import Link
    from ebee.linux.owners import Key, Owner

WHICH = "LINK is a number, `id N`, `pinned PATH` or a pin's path."
PLAIN = ("type", "id", "prog_id")
"""Fields of every link's info, which `where` need not repeat."""


@click.command(epilog=WHICH)
@click.argument("words", nargs=-1, metavar="[LINK]")
@json_option
def show(words: tuple[str, ...], as_json: bool) -> None:
    """Show all links, or one: which program, attached to what, held by whom. Needs root."""
    from ebee.linux import owners

    held, pinned = owners.processes(), owners.pins()
    if words:
        with open_link(words) as link:
            found = [document(link, held, pinned)]
    else:
        found = list(_all(held, pinned))
    if as_json:
        report.print_json(found[0] if words else found)
        return
    if not found:
        click.echo("there are no links")
        return
    from ebee.cli.held import owners_text

    rows = [
        (str(link["id"]), link["type"], link["where"], link["prog_name"], str(link["prog_id"]),
         owners_text(link["pids"]), ", ".join(link["pinned"]))
        for link in found
    ]  # fmt: skip
    columns = ("id", "type", "attached to", "program", "id", "held by", "pinned")
    used = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    cells = [[row[i] for i in used] for row in rows]
    report.show(report.table(report.plural(len(rows), "link"), [columns[i] for i in used], cells))


@click.command(epilog=WHICH)
@click.argument("words", nargs=-1, required=True, metavar="LINK")
def detach(words: tuple[str, ...]) -> None:
    """Take a link's program out of its place, whoever holds the link (since Linux 5.9)."""
    with open_link(words) as link:
        link.detach()


@click.command(epilog=WHICH)
@click.argument("words", nargs=-1, required=True, metavar="LINK PATH")
def pin(words: tuple[str, ...]) -> None:
    """Pin a link under PATH in a BPF file system: it then outlives who holds it."""
    *which, path = words
    if not which:
        raise ConfigError("`link pin` takes a link and the path to pin it at")
    with open_link(which) as link:
        link.pin(path)


def open_link(words: Sequence[str]) -> Link:
    """The link of these words."""
    from ebee.cli import named
    from ebee.linux.links import Link

    way, value, rest = named.split(words, "link")
    if rest:
        raise ConfigError(f"what is {' '.join(rest)!r} behind the link?")
    if way == "pinned":
        return Link.get(value)
    if way != "id":
        raise ConfigError(f"links have no {way}s")
    if not value.isdecimal():
        raise ConfigError(f"{value!r} is no number of a link")
    return Link.from_id(int(value))


def _all(
    held: Mapping[Key, list[Owner]], pinned: Mapping[Key, list[str]]
) -> Iterator[dict[str, Any]]:
    from ebee.linux.info import each
    from ebee.linux.links import Link

    for link in each("link", Link.from_id):
        yield document(link, held, pinned)


def by_program() -> dict[int, list[dict[str, Any]]]:
    """The links of each program, by its number: id, type, and where in words. Empty before Linux
    5.8, which cannot list them."""
    from ebee.linux.info import each
    from ebee.linux.links import Link

    found: dict[int, list[dict[str, Any]]] = {}
    with suppress(KernelError):
        for link in each("link", Link.from_id):
            info = link.info()
            row = {"id": info.id, "type": info.type, "where": where(info)}
            found.setdefault(info.prog_id, []).append(row)
    return found


def document(
    link: Link, held: Mapping[Key, list[Owner]], pinned: Mapping[Key, list[str]]
) -> dict[str, Any]:
    """What the kernel and /proc say of a link: bpftool's keys, `where` in words, and the rest."""
    info = dict(link.info())
    key = ("link", info["id"])
    own = {name: value for name, value in info.items() if name not in PLAIN}
    if "attach_type" in own:
        own["attach_type"] = attach_type(own["attach_type"])
    if "ifindex" in own:
        own["devname"] = _device(own["ifindex"])
    return {
        **{name: info[name] for name in ("id", "type", "prog_id")},
        "prog_name": program_name(info["prog_id"]),
        "prog_type": program_type(info["prog_id"]),
        "where": where(info),
        **own,
        "pids": [owner._asdict() for owner in held.get(key, ())],
        "pinned": pinned.get(key, []),
    }


def program_name(number: int) -> str:
    """A program's name by its number, "" when it has none or is gone."""
    return _program(number)[0]


def program_type(number: int) -> str:
    """A program's type by its number, "" when it is gone."""
    return _program(number)[1]


@cache
def _program(number: int) -> tuple[str, str]:
    from ebee.linux.programs import LinuxProgram

    if not number:
        return "", ""
    try:
        with LinuxProgram.from_id(number) as program:
            return program.name, program.type
    except KernelError:
        return "", ""


# -- places in words -------------------------------------------------------------------------------


def where(info: Mapping[str, Any]) -> str:
    """What a link is attached to."""
    words = _WORDS.get(info["type"])
    return words(info) if words else _rest(info)


def _rest(info: Mapping[str, Any]) -> str:
    return ", ".join(f"{k} {v}" for k, v in info.items() if k not in PLAIN)


def _interface(info: Mapping[str, Any]) -> str:
    number = info.get("ifindex", 0)
    if not number:
        return "an interface that is gone"
    name = _device(number) or f"interface {number} of another namespace"
    return f"{name}{_kind(info)}"


def _device(number: int) -> str:
    """The name of an interface, "" when it is of another network namespace."""
    try:
        return socket.if_indextoname(number)
    except OSError:
        return ""


def _kind(info: Mapping[str, Any]) -> str:
    """The attach type behind a place, where the link says one."""
    number = info.get("attach_type")
    return f" {attach_type(number)}" if number is not None else ""


@cache
def attach_type(number: int) -> str:
    """The name of an attach type."""
    from ebee.linux import uapi

    names = {value: name for name, value in uapi.ATTACH_TYPES.items()}
    return names.get(number, f"attach type {number}")


def _cgroup(info: Mapping[str, Any]) -> str:
    return f"{cgroup_path(info.get('cgroup_id', 0))}{_kind(info)}"


@cache
def cgroup_path(number: int) -> str:
    """The folder of a control group of version 2: its number is the folder's inode."""
    for root in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if os.path.exists(os.path.join(root, "cgroup.controllers")):
            for folder, _, _ in os.walk(root):
                if os.stat(folder).st_ino == number:
                    return folder
    return f"cgroup {number}"


def _event(info: Mapping[str, Any]) -> str:
    event = info.get("event", "")
    place = info.get("func_name") or info.get("file_name") or info.get("tp_name") or ""
    offset = f"+{info['offset']:#x}" if info.get("offset") else ""
    return f"{event} {place}{offset}".strip() or "a perf event"


def _tracing(info: Mapping[str, Any]) -> str:
    """The function or tracepoint, by the id that it has in the kernel's types."""
    from ebee.btf import Btf
    from ebee.errors import EbeeError

    number, object_id = info.get("target_btf_id", 0), info.get("target_obj_id", 0)
    name = f"type {number} of BTF {object_id}"
    if object_id == 1 and number:  # vmlinux is the first that there is
        with suppress(EbeeError):
            name = Btf.vmlinux().type(number).name
    return f"{name}{_kind(info)}"


def _netfilter(info: Mapping[str, Any]) -> str:
    families = {2: "ipv4", 10: "ipv6", 7: "bridge", 3: "arp"}
    hooks = ("prerouting", "input", "forward", "output", "postrouting")
    family = families.get(info.get("pf", 0), f"family {info.get('pf')}")
    number = info.get("hooknum", 0)
    hook = hooks[number] if number < len(hooks) else f"hook {number}"
    return f"{family} {hook}, priority {info.get('priority', 0)}"


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "xdp": _interface,
    "tcx": _interface,
    "netkit": _interface,
    "cgroup": _cgroup,
    "perf_event": _event,
    "tracing": _tracing,
    "netfilter": _netfilter,
    "raw_tracepoint": lambda info: f"{info.get('tp_name', '')}",
    "iter": lambda info: f"{info.get('target_name', '')}",
    "netns": lambda info: f"network namespace {info.get('netns_ino', 0)}{_kind(info)}",
    "struct_ops": lambda info: f"map {info.get('map_id', 0)}",
    "sockmap": lambda info: f"map {info.get('map_id', 0)}{_kind(info)}",
    "kprobe_multi": lambda info: report.plural(info.get("count", 0), "function"),
    "uprobe_multi": lambda info: (
        f"{info.get('path', '')}, " + report.plural(info.get("count", 0), "place")
    ),
}
"""How the places of each type of link are named."""
