"""`ebee prog`: the kernel's programs: who they are, what they look like inside, runs, pins."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ebee.cli import report
from ebee.cli.load import load as load_command
from ebee.cli.named import only_program
from ebee.cli.options import json_option
from ebee.cli.prog_attach import attach, detach, tracelog
from ebee.cli.prog_profile import profile
from ebee.errors import ConfigError

RUN_WORDS = ("data_in", "data_out", "data_size_out", "ctx_in", "ctx_out", "repeat")
WHICH = """PROGRAM is a number, `id N`, `name NAME`, `tag TAG`, `pinned PATH` or a pin's path."""


@click.group(epilog=WHICH)
def prog() -> None:
    """Programs of the kernel: list, look into, run, pin."""


@prog.command(epilog=WHICH)
@click.argument("words", nargs=-1, metavar="[PROGRAM]")
@click.option("-f", "--pins", is_flag=True, help="Where they are pinned, too.")
@json_option
def show(words: tuple[str, ...], pins: bool, as_json: bool) -> None:
    """Show all programs, or one in full: type, sizes, maps, runs, owners, source. Needs root.

    \b
    ebee prog show
    ebee prog show name firewall
    """
    from ebee.cli import prog_show

    prog_show.show(words, pins, as_json)


prog.add_command(show, "list")


@prog.group(epilog=WHICH)
def dump() -> None:
    """Print the instructions of a program: as the verifier left them, or as machine code."""


@dump.command(epilog=WHICH)
@click.argument("words", nargs=-1, required=True,
                metavar="PROGRAM [file FILE | opcodes | linum | visual]")  # fmt: skip
@click.option("-S", "--source", is_flag=True, help="Source lines between the instructions.")
@click.option("--opcodes", is_flag=True, help="Each instruction's bytes.")
@click.option("-o", "--output", metavar="FILE", help="Write the bare bytes there.")
@json_option
def xlated(
    words: tuple[str, ...], source: bool, opcodes: bool, output: str | None, as_json: bool
) -> None:
    """Print a program's instructions as the verifier has rewritten them, with names for helpers
    and maps. With `visual`: the flow of control, for Graphviz. `file FILE` is -o, `linum` is -S.

    \b
    ebee prog dump xlated name firewall -S
    ebee prog dump xlated id 12 visual | dot -Tsvg > flow.svg
    """
    from ebee.cli import prog_dump

    words, more = split(words, ("opcodes", "linum", "visual"), ("file",))
    output = more.get("file", output)
    with only_program(words) as program:
        if output is not None:
            prog_dump.write(program.xlated(), output)
        elif "visual" in more:
            click.echo(prog_dump.graph(program), nl=False)
        else:
            source, opcodes = source or "linum" in more, opcodes or "opcodes" in more
            prog_dump.show_xlated(program, source, opcodes, as_json)


@dump.command(epilog=WHICH)
@click.argument("words", nargs=-1, required=True,
                metavar="PROGRAM [file FILE | opcodes | linum]")  # fmt: skip
@click.option("-S", "--source", is_flag=True, help="Source lines between the instructions.")
@click.option("--opcodes", is_flag=True, help="Each instruction's bytes.")
@click.option("-o", "--output", metavar="FILE", help="Write the bare bytes there.")
@json_option
def jited(
    words: tuple[str, ...], source: bool, opcodes: bool, output: str | None, as_json: bool
) -> None:
    """Print the machine code of a program, by function; `objdump` takes it apart where there is
    one, else it is bytes."""
    from ebee.cli import prog_dump

    words, more = split(words, ("opcodes", "linum"), ("file",))
    output = more.get("file", output)
    with only_program(words) as program:
        if output is not None:
            prog_dump.write(program.jited(), output)
        else:
            source, opcodes = source or "linum" in more, opcodes or "opcodes" in more
            prog_dump.show_jited(program, source, opcodes, as_json)


@prog.command(epilog=WHICH)
@click.argument("words", nargs=-1, required=True, metavar="PROGRAM")
def visual(words: tuple[str, ...]) -> None:
    """Draw a program's flow of control, as a graph for Graphviz (`dot -Tsvg`)."""
    from ebee.cli import prog_dump

    with only_program(words) as program:
        click.echo(prog_dump.graph(program), nl=False)


@prog.command(epilog=WHICH)
@click.argument("words", nargs=-1, required=True, metavar="PROGRAM")
@click.option("--data-in", metavar="FILE", help="What it runs on: a packet. `-`: standard input.")
@click.option("--ctx-in", metavar="FILE", help="The context it is given.")
@click.option("--data-out", metavar="FILE", help="Where the packet goes afterwards.")
@click.option("--ctx-out", metavar="FILE", help="Where the context goes afterwards.")
@click.option("--repeat", type=click.IntRange(1), default=1, help="How often it runs.")
@json_option
def run(
    words: tuple[str, ...], data_in: str | None, ctx_in: str | None, data_out: str | None,
    ctx_out: str | None, repeat: int, as_json: bool,
) -> None:  # fmt: skip
    """Run a program in the kernel on test data (BPF_PROG_TEST_RUN): its result and its time.

    The options may be written as bpftool has them, too: `data_in FILE repeat N`.
    """
    from ebee.cli import prog_dump
    from ebee.cli.source import read_bytes

    words, more = split(words, (), RUN_WORDS)
    data_in, data_out = more.get("data_in", data_in), more.get("data_out", data_out)
    ctx_in, ctx_out = more.get("ctx_in", ctx_in), more.get("ctx_out", ctx_out)
    repeat = number(more.get("repeat", str(repeat)), "repeat")
    room = {"out_room": number(more["data_size_out"], "data_size_out")} if (
        "data_size_out" in more) else {}  # fmt: skip
    data = read_bytes(data_in) if data_in else b""
    ctx = read_bytes(ctx_in) if ctx_in else b""
    with only_program(words) as program:
        result = program.test_run(data, ctx=ctx, repeat=repeat, **room)
    for path, content in ((data_out, result.data), (ctx_out, result.ctx)):
        if path:
            prog_dump.write(content, path)
    if as_json:
        report.print_json({
            "retval": result.retval, "duration": result.duration,
            "data": result.data.hex(), "ctx": result.ctx.hex(),
        })  # fmt: skip
        return
    click.echo(f"returned {result.retval} ({result.retval:#x}), {result.duration} ns a run")
    if result.data and not data_out:
        click.echo(f"packet afterwards, {report.plural(len(result.data), 'byte')}:")
        for line in prog_dump.hex_lines(result.data):
            click.echo(line)


@prog.command(epilog=WHICH)
@click.argument("words", nargs=-1, required=True, metavar="PROGRAM PATH")
def pin(words: tuple[str, ...]) -> None:
    """Pin a program under PATH in a BPF file system."""
    from ebee.cli import named

    program, rest = named.program(words)
    with program:
        if len(rest) != 1:
            raise ConfigError("`prog pin` takes a program and the path to pin it at")
        program.pin(rest[0])


prog.add_command(load_command, "load")
prog.add_command(load_command, "loadall")
for command in (attach, detach, profile, tracelog):
    prog.add_command(command)


def split(
    words: tuple[str, ...], plain: Sequence[str], valued: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """(the words that name the program, bpftool's words behind them with their values)."""
    from ebee.cli import named
    from ebee.cli.source import nearest

    _, _, rest = named.split(words, "program")
    program, more = words[: len(words) - len(rest)], {}
    while rest:
        word = rest.pop(0)
        if word not in (*plain, *valued):
            near = nearest(word, (*plain, *valued))
            raise ConfigError(f"what is {word!r} behind the program?{near}")
        if word in valued and not rest:
            raise ConfigError(f"`{word}` is followed by nothing")
        more[word] = rest.pop(0) if word in valued else ""
    return program, more


def number(text: str, word: str) -> int:
    """A number above 0."""
    if not text.isdecimal() or not int(text):
        raise ConfigError(f"`{word}` takes a number above 0, not {text!r}")
    return int(text)
