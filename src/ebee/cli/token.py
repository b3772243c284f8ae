"""`ebee token`: BPF tokens, by which containers may use BPF."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.options import json_option

if TYPE_CHECKING:
    from ebee.linux.token import Delegation

SETTINGS = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.group()
def token() -> None:
    """BPF tokens: what user namespaces (containers) have been allowed to do with BPF. Since Linux
    6.9."""


@token.command()
@json_option
def show(as_json: bool) -> None:
    """Show the BPF file systems mounted here that delegate, and the tokens that processes hold."""
    from ebee.linux.token import mounts, tokens

    placed = [{"token_info": path, **_document(given)} for path, given in mounts()]
    held = [
        {"pid": owner.pid, "comm": owner.comm, "fd": fd, **_document(given)}
        for owner, fd, given in tokens()
    ]
    if as_json:
        report.print_json({"mounts": placed, "tokens": held})
        return
    if not placed:
        click.echo("no BPF file system that delegates anything is mounted here")
    for one in placed:
        _show(f"BPF file system at {one['token_info']}", one)
    for one in held:
        _show(f"token of {one['comm']} ({one['pid']}), descriptor {one['fd']}", one)


token.add_command(show, "list")


@token.command()
@click.argument("path", default="/sys/fs/bpf")
@json_option
def create(path: str, as_json: bool) -> None:
    """Create a token of the BPF file system mounted at PATH, and show what it allows: whether this
    container may use BPF. (Nothing needs to be created beforehand: what loads into the kernel
    creates its own.)"""
    from ebee.linux.token import allowed
    from ebee.linux.token import create as make

    with make(path) as made:
        found = _document(allowed("self", made.fileno()))
    if as_json:
        report.print_json({"token_info": path, **found})
    else:
        _show(f"a token of {path} allows", found)


def _words(name: str, what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(f"--{name}", metavar="A,B", default="any", show_default=True, help=what)


@token.command(context_settings=SETTINGS)
@_words("cmds", "Commands of bpf(): map_create,prog_load,...")
@_words("maps", "Types of maps: hash,ringbuf,...")
@_words("progs", "Types of programs: xdp,tracing,...")
@_words("attachs", "Attach types: xdp,trace_fentry,...")
@click.option("--at", metavar="PATH", default="/sys/fs/bpf", show_default=True,
              help="Where the BPF file system is mounted.")  # fmt: skip
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def run(
    context: click.Context, /, command: tuple[str, ...], cmds: str, maps: str, progs: str,
    attachs: str, at: str,
) -> None:  # fmt: skip
    """Run a COMMAND in a user namespace of its own, where a BPF file system allows it what the
    options say: what ebee, libbpf and others load there, they load with a token. Needs root.

    \b
    ebee token run --progs xdp,sched_cls -- ebee load firewall.o
    """
    from ebee.linux.token import Delegation
    from ebee.linux.token import run as start

    given = (tuple(filter(None, text.lower().split(","))) for text in (cmds, maps, progs, attachs))
    context.exit(start(command, Delegation(*given), at))


def _document(given: Delegation) -> dict[str, Any]:
    """Keys are bpftool's."""
    from ebee.linux.token import WORDS

    return {f"allowed_{what}": list(getattr(given, what)) for what in WORDS}


def _show(title: str, found: dict[str, Any]) -> None:
    from ebee.linux.token import WORDS

    names = {"cmds": "commands", "maps": "maps", "progs": "programs", "attachs": "attach types"}
    report.show_fields(title, {names[w]: ", ".join(found[f"allowed_{w}"]) or "none" for w in WORDS})
