"""The `ebee` command: a file per command group, each imported when its command runs."""

from __future__ import annotations

import importlib
import sys

import click

from ebee import __version__
from ebee.errors import EbeeError

COMMANDS = {
    "run": ("run", "Run a program over a capture, or attach it to an interface."),
    "build": ("build", "Compile C to a BPF object."),
    "disasm": ("text", "Print a program's instructions."),
    "asm": ("text", "Assemble instructions."),
    "obj": ("obj", "Look into object files."),
    "doctor": ("doctor", "What works on this machine, what does not, and why."),
    "conformance-plugin": ("conformance", "Run one case of the public eBPF conformance suite."),
}
"""Command -> (module of this package, one line of help), so that `--help` imports none of them."""


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
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="ebee %(version)s")
def cli() -> None:
    """ebee: write, check, run, debug and load eBPF programs."""


def main() -> None:
    """The entry point: an error of ebee is one clear message and exit code 1."""
    try:
        cli(standalone_mode=False)
    except EbeeError as e:
        click.echo(f"ebee: {e}", err=True)
        sys.exit(1)
    except click.ClickException as e:
        e.show()
        sys.exit(e.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("ebee: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
