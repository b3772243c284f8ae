"""The `ebee` command: a file per command group, each imported when its command runs."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, NoReturn

import click

from ebee import __version__
from ebee.errors import EbeeError

COMMANDS = {
    "run": ("run", "Run a program over a capture, or attach it to an interface."),
    "new": ("new", "Begin a project: a program, and tests for it."),
    "build": ("build", "Compile Python or C to a BPF object."),
    "check": ("check", "Say whether Linux would accept programs, and if not, why."),
    "disasm": ("disasm", "Print a program's instructions."),
    "asm": ("asm", "Assemble instructions."),
    "obj": ("obj", "Look into object files."),
    "btf": ("btf", "Types of kernels and objects: find, dump, compare, write as C."),
    "link": ("link", "Link objects into one; the kernel's links."),
    "gen": ("gen", "Make Python skeletons and more from objects."),
    "load": ("load", "Load an object into the kernel, and pin it."),
    "prog": ("prog", "Programs of the kernel: list, look into, run, pin."),
    "map": ("map", "Maps of the kernel, and the events that come through them."),
    "net": ("net", "Programs at interfaces and in network namespaces."),
    "cgroup": ("cgroup", "Programs of control groups."),
    "iter": ("iter", "Programs that walk the kernel's objects, read as text."),
    "struct_ops": ("struct_ops", "Structs of functions that programs fill, registered."),
    "perf": ("perf", "Programs at probes that processes hold open."),
    "token": ("token", "What containers may do with BPF."),
    "trace-bpf": ("trace_bpf", "The bpf() calls of a command, decoded."),
    "top": ("top", "Programs of the kernel by time, maps by memory, live."),
    "feature": ("feature", "What the running kernel offers programs."),
    "doctor": ("doctor", "What works on this machine, what does not, and why."),
    "conformance-plugin": ("conformance", "Run one case of the public eBPF conformance suite."),
}
"""Command -> (module of this package, one line of help), so that `--help` imports none of them."""

FAILED, INTERRUPTED, PIPE_CLOSED = 1, 130, 141
"""Exit codes: an error of ebee's (2 is a wrong command line), Ctrl-C, nobody reads our output."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ebee.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from ebee.cli.source import nearest

            raise click.UsageError(f"No such command {args[0]!r}.{nearest(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=LazyGroup, context_settings=SETTINGS)
@click.version_option(__version__, "-V", "--version", message="ebee %(version)s")
def cli() -> None:
    """ebee: write, check, run, debug and load eBPF programs."""


def main() -> NoReturn:
    """The entry point: whatever goes wrong is one clear message and an exit code, no traceback."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with the stream closed
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        getattr(sys, name).reconfigure(errors="replace")
    try:
        if "_EBEE_COMPLETE" in os.environ:  # a shell asks what could stand there
            cli.main(prog_name="ebee")
        with cli.make_context("ebee", sys.argv[1:]) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as e:
        fail("", e.exit_code)
    except EbeeError as e:
        fail(str(e))
    except click.ClickException as e:
        e.show()
        fail("", e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        fail("", PIPE_CLOSED)
    except OSError as e:
        what = f"cannot use {e.filename}" if e.filename else "cannot write the output"
        fail(f"{what}: {e.strerror or e}")
    except MemoryError:
        fail("out of memory")
    sys.exit(0)


def fail(message: str, status: int = FAILED) -> NoReturn:
    """End, with a message on standard error; what standard output cannot take any more is lost."""
    if message:
        click.echo(f"ebee: {message}", err=True)
    try:
        sys.stdout.flush()
    except OSError:  # or Python would complain once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
