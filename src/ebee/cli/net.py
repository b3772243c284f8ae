"""`ebee net`: which programs are attached to interfaces and network namespaces; attach, detach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ebee.cli import report
from ebee.cli.options import json_option
from ebee.errors import ConfigError, KernelError

T = TypeVar("T")
XDP = {"xdp": "auto", "xdpdrv": "native", "xdpgeneric": "generic", "xdpoffload": "offload"}
TCX = {"tcx_ingress": "ingress", "tcx_egress": "egress"}
TC = {"tc_ingress": "ingress", "tc_egress": "egress"}
netns_option = click.option(
    "--netns", metavar="NAME", help="In this network namespace: its name, or a path to it."
)
types = click.Choice([*XDP, *TCX, *TC])


@click.group()
def net() -> None:
    """Programs at interfaces: XDP, tcx, tc, netkit, netfilter; in this namespace or in others."""


@net.command(name="show")
@click.argument("words", nargs=-1, metavar="[dev NAME]")
@click.option("--dev", metavar="NAME", help="Only this interface.")
@netns_option
@click.option("--all", "everywhere", is_flag=True, help="In all network namespaces.")
@json_option
def show(
    words: tuple[str, ...], dev: str | None, netns: str | None, everywhere: bool, as_json: bool
) -> None:
    """Show the programs attached to interfaces, netfilter, and the namespace as a whole.

    \b
    ebee net show
    ebee net show dev eth0
    ebee net show --all --json
    """
    if words:
        if len(words) != 2 or words[0] != "dev" or dev:
            raise ConfigError(f"`net show` takes `dev NAME`, not {' '.join(words)!r}")
        dev = words[1]
    found = documents(dev, netns, everywhere)
    if as_json:
        report.print_json(found)
        return
    shown = 0
    for document in found:
        shown += show_namespace(document, everywhere)
    if not shown:
        click.echo("no programs are attached to the network here")


net.add_command(show, "list")


def documents(dev: str | None, netns: str | None, everywhere: bool) -> list[dict[str, Any]]:
    """What is attached, for each namespace; its keys are stable."""
    from ebee.linux.netns import in_netns, namespaces
    from ebee.linux.netview import view

    there = namespaces()
    if not everywhere:
        made = _inside(netns, lambda: (_inode(), view(dev)))
        name = next((n.name for n in there if n.inode == made[0]), "")
        return [{"netns": name, "inode": made[0], **made[1]}]
    found = []
    for space in there:
        try:
            rows = in_netns(space.path, lambda: view(dev))
        except KernelError as error:
            if error.errno in (2, 3):  # gone meanwhile
                continue
            if dev is not None and error.errno == 19:
                continue
            raise
        found.append({"netns": space.name, "inode": space.inode,
                      "pids": list(space.pids[:MANY]), **rows})  # fmt: skip
    return found


MANY = 10
"""Processes of a namespace that are listed."""


def _inside(netns: str | None, function: Callable[[], T]) -> T:
    """Call a function in a namespace; in this one it takes no privilege to get there."""
    from ebee.linux.netns import in_netns

    return function() if netns is None else in_netns(netns, function)


def _inode() -> int:
    import os

    from ebee.linux.netns import HERE

    return os.stat(HERE).st_ino


COLUMNS: dict[str, tuple[str, ...]] = {
    "xdp": ("devname", "ifindex", "mode", "id", "name", "link_id"),
    "tcx": ("devname", "ifindex", "kind", "position", "id", "name", "link_id"),
    "netkit": ("devname", "ifindex", "kind", "position", "id", "name", "link_id"),
    "tc": ("devname", "ifindex", "kind", "priority", "handle", "id", "name", "label"),
    "netfilter": ("pf", "hook", "priority", "id", "name", "link_id"),
    "flow_dissector": ("id", "name"),
    "sk_lookup": ("id", "name"),
}
HEADS = {"devname": "device", "ifindex": "index", "link_id": "link", "pf": "family"}


def show_namespace(document: dict[str, Any], titled: bool) -> int:
    """Print the tables of a namespace; how many programs there were."""
    total = sum(len(document[kind]) for kind in COLUMNS)
    if titled and total:
        who = ", ".join(map(str, document.get("pids", ())[:3]))
        name = document["netns"] or (f"of process {who}" if who else "without a name")
        report.show(report.heading(f"network namespace {name} ({document['inode']})"), "")
    for kind, columns in COLUMNS.items():
        rows = [[_cell(row.get(c)) for c in columns] for row in document[kind]]
        if rows:
            report.show(report.table(kind, [HEADS.get(c, c) for c in columns], rows), "")
    return total


def _cell(value: Any) -> Any:
    """Numbers here are names of things: no thousands are marked."""
    return str(value) if isinstance(value, int) else value


@net.command()
@click.argument("kind", metavar="TYPE", type=types)
@click.argument("words", nargs=-1, required=True, metavar="PROG dev NAME [overwrite]")
@netns_option
def attach(kind: str, words: tuple[str, ...], netns: str | None) -> None:
    """Attach a loaded program to an interface, where it stays until it is detached.

    TYPE: xdp, xdpdrv, xdpgeneric, xdpoffload, tcx_ingress, tcx_egress, tc_ingress, tc_egress.
    PROG: its number, `id N`, `name NAME`, `tag TAG`, or a pin's path.

    \b
    ebee net attach xdp pinned /sys/fs/bpf/firewall dev eth0 overwrite
    ebee net attach tcx_ingress 42 dev eth0
    """
    from ebee.cli.named import program
    from ebee.linux import attach as ways

    made, rest = program(words)
    dev, more = _dev(rest)
    if more not in ([], ["overwrite"]) or (more and kind not in XDP):
        raise ConfigError(f"{more[0]!r} makes no sense here")

    def put() -> None:
        if kind in XDP:
            held = ways.xdp(made, dev, XDP[kind], by="netlink", replace=bool(more))
        elif kind in TCX:
            held = ways.tcx(made, dev, TCX[kind], by="attach")
        else:
            held = ways.tc(made, dev, TC[kind])
        held.leave()

    with made:
        _inside(netns, put)


@net.command()
@click.argument("kind", metavar="TYPE", type=types)
@click.argument("words", nargs=-1, required=True, metavar="[PROG] dev NAME")
@netns_option
def detach(kind: str, words: tuple[str, ...], netns: str | None) -> None:
    """Take a program off an interface.

    Without PROG it is the only one that is attached there in this way.
    """
    number = None
    rest = list(words)
    if rest[0] != "dev":
        from ebee.cli.named import program

        made, rest = program(words)
        with made:
            number = made.id
    dev, more = _dev(rest)
    if more:
        raise ConfigError(f"{more[0]!r} makes no sense here")
    _inside(netns, lambda: _take_off(kind, dev, number))


def _take_off(kind: str, dev: str, number: int | None) -> None:
    from ebee.linux.detach import classifier, tcx, xdp
    from ebee.linux.netview import view

    found = view(dev)
    family = "xdp" if kind in XDP else kind.partition("_")[0]
    rows = [row for row in found[family] if number in (None, row["id"]) and _fits(kind, row)]
    if len(rows) != 1:
        what = f"program {number}" if number else "program"
        many = ", ".join(str(row["id"]) for row in rows)
        text = f"which of the programs {many}?" if rows else f"no {what} is attached there"
        raise ConfigError(f"cannot detach {kind} from {dev}: {text}")
    (row,) = rows
    if row.get("link_id"):
        raise ConfigError(
            f"program {row['id']} is held by link {row['link_id']}: `ebee link detach` it"
        )
    {"xdp": xdp, "tcx": tcx, "tc": classifier}[family](row)


def _fits(kind: str, row: dict[str, Any]) -> bool:
    modes = {"xdpdrv": "driver", "xdpgeneric": "generic", "xdpoffload": "offload"}
    if kind in XDP:
        return modes.get(kind) in (None, row["mode"])
    return bool(row["kind"].replace("clsact/", "tc_") == kind)


def _dev(words: list[str]) -> tuple[str, list[str]]:
    if len(words) < 2 or words[0] != "dev":
        raise ConfigError("say which interface: dev NAME")
    return words[1], words[2:]
