"""`ebee cgroup`: which programs are attached to control groups; attach, detach."""

from __future__ import annotations

from typing import Any

import click

from ebee.cli import report
from ebee.cli.options import json_option
from ebee.errors import ConfigError

OLD_NAMES = {"ingress": "inet_ingress", "egress": "inet_egress", "sock_create": "inet_sock_create",
             "sock_release": "inet_sock_release", "bind4": "inet4_bind", "bind6": "inet6_bind",
             "connect4": "inet4_connect", "connect6": "inet6_connect",
             "post_bind4": "inet4_post_bind", "post_bind6": "inet6_post_bind",
             "getpeername4": "inet4_getpeername", "getpeername6": "inet6_getpeername",
             "getsockname4": "inet4_getsockname", "getsockname6": "inet6_getsockname",
             "sendmsg4": "udp4_sendmsg", "sendmsg6": "udp6_sendmsg", "recvmsg4": "udp4_recvmsg",
             "recvmsg6": "udp6_recvmsg"}  # fmt: skip
"""What bpftool once called attach types, and still takes."""
COLUMNS = ("id", "attach_type", "attach_flags", "name", "link_id")
HEADS = {"attach_type": "attach type", "attach_flags": "mode", "link_id": "link"}


@click.group()
def cgroup() -> None:
    """Programs of control groups (version 2)."""


@cgroup.command()
@click.argument("group", metavar="CGROUP")
@click.argument("words", nargs=-1, metavar="[effective]")
@json_option
def show(group: str, words: tuple[str, ...], as_json: bool) -> None:
    """Show the programs of CGROUP, a folder; with `effective` all that run for it."""
    from ebee.linux.cgroupview import View

    rows = View().show(group, _effective(words))
    if as_json:
        report.print_json(rows)
    elif rows:
        report.show(table(f"Programs of {group}", rows))
    else:
        click.echo(f"no programs are attached to {group}")


cgroup.add_command(show, "list")


@cgroup.command()
@click.argument("words", nargs=-1, metavar="[ROOT] [effective]")
@json_option
def tree(words: tuple[str, ...], as_json: bool) -> None:
    """Show all groups below ROOT (by default all there are) that have programs."""
    from ebee.linux.cgroupview import View, root

    places = [word for word in words if word != "effective"]
    if len(places) > 1:
        raise ConfigError(f"there is one root, not {' and '.join(places)}")
    top = places[0] if places else root()
    found = View().tree(top, "effective" in words)
    if as_json:
        report.print_json([{"cgroup": path, "programs": rows} for path, rows in found])
        return
    shown = 0
    for path, rows in found:
        shown += 1
        report.show(table(path, rows), "")
    if not shown:
        click.echo(f"no programs are attached to {top} or below")


def table(title: str, rows: list[dict[str, Any]]) -> Any:
    """Programs of a group."""
    columns = [c for c in COLUMNS if any(c in row for row in rows)]
    cells = []
    for row in rows:
        mode = row.get("attach_flags", "") + (", preorder" if row.get("preorder") else "")
        row = {**row, "attach_flags": mode, "id": str(row["id"])}
        cells.append([str(row[c]) if row.get(c) else None for c in columns])
    return report.table(title, [HEADS.get(c, c) for c in columns], cells)


@cgroup.command()
@click.argument("group", metavar="CGROUP")
@click.argument("kind", metavar="ATTACH_TYPE")
@click.argument("words", nargs=-1, required=True, metavar="PROG [multi|override]")
def attach(group: str, kind: str, words: tuple[str, ...]) -> None:
    """Attach a loaded program to CGROUP, where it stays until it is detached.

    ATTACH_TYPE: cgroup_inet_ingress, cgroup_inet4_connect, ... PROG: its number, `id N`,
    `name NAME`, `tag TAG`, or a pin's path. Without a mode it is the only one, here and below.

    \b
    ebee cgroup attach /sys/fs/cgroup/test cgroup_inet_egress pinned /sys/fs/bpf/p multi
    """
    from ebee.cli.named import program
    from ebee.linux import attach as ways

    made, rest = program(words)
    with made:
        if len(rest) > 1 or (rest and rest[0] not in ("multi", "override")):
            raise ConfigError(f"a mode is multi or override, not {' '.join(rest)!r}")
        held = ways.cgroup(made, group, attach_type(kind), rest[0] if rest else "exclusive")
        held.leave()


@cgroup.command()
@click.argument("group", metavar="CGROUP")
@click.argument("kind", metavar="ATTACH_TYPE")
@click.argument("words", nargs=-1, required=True, metavar="PROG")
def detach(group: str, kind: str, words: tuple[str, ...]) -> None:
    """Take a program off CGROUP."""
    from ebee.cli.named import program
    from ebee.linux.cgroupview import detach

    made, rest = program(words)
    with made:
        if rest:
            raise ConfigError(f"{rest[0]!r} makes no sense here")
        detach(group, attach_type(kind), made)


def attach_type(name: str) -> str:
    """The attach type of a name, also one that bpftool used to have."""
    from ebee.cli.source import nearest
    from ebee.linux.cgroupview import ATTACH_TYPES

    found = name if name in ATTACH_TYPES else f"cgroup_{OLD_NAMES.get(name, name)}"
    if found not in ATTACH_TYPES:
        raise ConfigError(f"{name!r} is no attach type of cgroups.{nearest(name, ATTACH_TYPES)}")
    return found


def _effective(words: tuple[str, ...]) -> bool:
    if words not in ((), ("effective",)):
        raise ConfigError(f"`effective` may stand there, not {' '.join(words)!r}")
    return bool(words)
