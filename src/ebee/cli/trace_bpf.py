"""`ebee trace-bpf`: the bpf() calls of a command, decoded as strace does."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

from ebee.errors import ConfigError

if TYPE_CHECKING:
    from ebee.linux.bpfcalls import BpfCall

SHOWN = 32
"""Bytes, characters and items of a value that a line shows."""
SETTINGS = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command("trace-bpf", context_settings=SETTINGS)
@click.option("-e", "--only", metavar="COMMANDS", help="Only these, by name: MAP_CREATE,PROG_LOAD")
@click.option("-Z", "--failed", is_flag=True, help="Only calls that fail.")
@click.option("--insns", is_flag=True, help="The instructions of programs that are loaded.")
@click.option("-o", "--output", metavar="FILE", help="Write there, not to standard error.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def trace_bpf(
    context: click.Context, command: tuple[str, ...], only: str | None, failed: bool,
    insns: bool, output: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Run a COMMAND and print the bpf() calls that it and what it starts make: attributes by name,
    objects behind descriptors, results, the verifier's complaint. Ends with the exit code of the
    command, when all that it has started have ended; signals and output stay its own. Since Linux
    5.3, needs no privileges.

    \b
    ebee trace-bpf bpftool prog show
    ebee trace-bpf -e PROG_LOAD --insns -- ./loader -v
    """
    from ebee.linux.bpfcalls import Decoder
    from ebee.linux.ptrace import watch

    wanted = _commands(only)
    with _opened(output) as file:

        def seen(call: BpfCall) -> None:
            if (wanted and call.command not in wanted) or (failed and not call.error):
                return
            for line in _document(call, insns) if as_json else lines(call, insns):
                file.write(line + "\n")
            file.flush()

        decoder = Decoder(seen)
        ended = watch(command, decoder.enter, decoder.leave)
    context.exit(ended.code)


def _commands(text: str | None) -> set[str]:
    from ebee.cli.source import nearest
    from ebee.linux.uapi import COMMANDS

    found = set()
    for word in (text or "").split(","):
        name = word.strip().upper().removeprefix("BPF_")
        if name and name not in COMMANDS:
            raise ConfigError(f"bpf() has no command {word.strip()!r}.{nearest(name, COMMANDS)}")
        found |= {name} - {""}
    return found


@contextmanager
def _opened(path: str | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stderr
        return
    with open(path, "w") as file:
        yield file


def _document(call: BpfCall, insns: bool) -> Iterator[str]:
    found = call.document()
    if insns and call.code:
        found["instructions"] = list(_instructions(call.code))
    yield json.dumps(found)


def lines(call: BpfCall, insns: bool = False) -> Iterator[str]:
    """A call as strace has it; then what the verifier has against the program, and its code."""
    from ebee.linux.programs import digest

    shown = ", ".join(f"{name}={_attribute(call, name)}" for name in call.attributes)
    name = call.command if call.command.isdigit() else f"BPF_{call.command}"
    result = "?" if call.result is None else str(call.result)
    result += f" {call.error}" if call.error else ""
    result += f" ({call.objects['result']})" if "result" in call.objects else ""
    took = f"<{call.seconds:.6f}>"
    yield f"[{call.comm} {call.pid}] bpf({name}, {{{shown}}}, {call.size}) = {result} {took}"
    log = call.attributes.get("log_buf", "")
    if call.error and isinstance(log, str):
        yield from (f"    {line}" for line in digest(log))
    if insns and call.code:
        yield from (f"    {line}" for line in _instructions(call.code))


def _attribute(call: BpfCall, name: str) -> str:
    from ebee.linux.bpfcalls import ADDRESSES, ENUMS, flag_words

    value = call.attributes[name]
    if name in call.objects:
        return f"{value} ({call.objects[name]})"
    if isinstance(value, int) and name.endswith("flags"):
        return flag_words(call, name, value)
    if name in ENUMS:
        return str(value)
    return hex(value) if isinstance(value, int) and name in ADDRESSES else _value(value)


def _value(value: Any) -> str:
    """A value as C has it, cut short."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={_value(one)}" for name, one in value.items()) + "}"
    if not isinstance(value, str | bytes | list):
        return str(value)
    dots = "..." if len(value) > SHOWN else ""
    if isinstance(value, bytes):
        return value[:SHOWN].hex(" ") + dots
    if isinstance(value, str):
        return json.dumps(value[:SHOWN], ensure_ascii=False) + dots
    return "[" + ", ".join([*map(_value, value[:SHOWN]), *([dots] if dots else [])]) + "]"


def _instructions(code: bytes) -> Iterator[str]:
    from ebee.cli.listing import bare, text
    from ebee.isa import decode

    return (click.unstyle(line) for line in text(bare(decode(code)), None))
