"""`ebee prog attach`, `detach`, `tracelog`: programs of socket maps and flow dissection; what
programs print."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from ebee.errors import ConfigError, KernelError

if TYPE_CHECKING:
    from ebee.linux.maps import LinuxMap
    from ebee.linux.programs import LinuxProgram

OF_MAPS = ("sk_msg_verdict", "sk_skb_verdict", "sk_skb_stream_verdict", "sk_skb_stream_parser")
DISSECTOR = "flow_dissector"
OLD_NAMES = {"msg_verdict": "sk_msg_verdict", "skb_verdict": "sk_skb_verdict",
             "stream_verdict": "sk_skb_stream_verdict",
             "stream_parser": "sk_skb_stream_parser"}  # fmt: skip
"""What bpftool once called attach types, and still takes."""
PERIOD = 0.1
"""Seconds between looks into the trace buffer."""


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="PROGRAM ATTACH_TYPE [MAP]")
def attach(words: tuple[str, ...]) -> None:
    """Attach a loaded program to MAP, a sockmap or sockhash (sk_msg_verdict, sk_skb_verdict,
    sk_skb_stream_verdict, sk_skb_stream_parser), or to this network namespace (flow_dissector),
    where it stays until it is detached.

    \b
    ebee prog attach name redirect sk_skb_verdict pinned /sys/fs/bpf/sockets
    """
    from ebee.linux import attach as ways

    with ExitStack() as held:
        program, kind, found = _place(words, held)
        if found is None:
            made = ways.netns(program, by="attach")
        else:
            made = ways.sockmap(program, found, kind, by="attach")
        made.leave()


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="PROGRAM ATTACH_TYPE [MAP]")
def detach(words: tuple[str, ...]) -> None:
    """Take a program off MAP, or (flow_dissector) off this network namespace."""
    from ebee.linux import uapi
    from ebee.linux.errors import refused
    from ebee.linux.sys import call

    with ExitStack() as held:
        program, kind, found = _place(words, held)
        target = found.fd if found else 0  # of namespaces, the kernel takes its caller's
        try:
            call("PROG_DETACH", target_fd=target, attach_bpf_fd=program.fd,
                 attach_type=uapi.ATTACH_TYPES[kind])  # fmt: skip
        except OSError as error:
            where = f"map {found.id} ({found.name})" if found else "the network namespace"
            why = "it is not attached there" if error.errno == errno.ENOENT else ""
            doing = f"take program {program.id} ({program.name}) off {where} ({kind})"
            raise refused(error, doing, why, needs=("CAP_BPF", "CAP_NET_ADMIN")) from None


def _place(words: Sequence[str], held: ExitStack) -> tuple[LinuxProgram, str, LinuxMap | None]:
    """(program, attach type, map) of the words; `held` closes them."""
    from ebee.cli import named
    from ebee.cli.source import nearest

    program, rest = named.program(words)
    held.enter_context(program)
    known = (*OF_MAPS, DISSECTOR)
    if not rest:
        raise ConfigError(f"attached as what? One of: {', '.join(known)}")
    kind = OLD_NAMES.get(rest[0], rest[0])
    if kind not in known:
        raise ConfigError(f"{rest[0]!r} is none of {', '.join(known)}.{nearest(kind, known)}")
    if kind == DISSECTOR:
        if rest[1:]:
            raise ConfigError(f"{DISSECTOR} takes no map: it is of the network namespace")
        return program, kind, None
    found, more = named.map_(rest[1:])
    held.enter_context(found)
    if more:
        raise ConfigError(f"what is {' '.join(more)!r} behind the map?")
    return program, kind, found


@click.command()
@click.argument("words", nargs=-1, metavar="[stdout|stderr PROGRAM]")
@click.option("--instance", metavar="NAME", help="Of this trace instance, not the whole kernel's.")
@click.option("-f", "--follow", is_flag=True, help="Of a program: wait for more, until Ctrl-C.")
@click.option("-n", "--count", "most", type=click.IntRange(1), help="End after so many lines.")
@click.option("--timeout", type=click.FloatRange(0), metavar="S",
              help="End when nothing came for S seconds.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def tracelog(
    words: tuple[str, ...], instance: str | None, follow: bool, most: int | None,
    timeout: float | None, as_json: bool,
) -> None:  # fmt: skip
    """Print what programs write with bpf_printk (and the trace buffer's other lines), until Ctrl-C.

    With `stdout` or `stderr` and a program: what that one has written with bpf_stream_printk, or
    the kernel has to say of its faults; since Linux 6.17.

    Lines that are read here are taken out of the buffer, with -n some more than are shown. An
    instance, a folder below /sys/kernel/tracing/instances, has its own, where its event
    bpf_trace/bpf_trace_printk is on.
    """
    with ExitStack() as held:
        if words:
            if instance is not None:
                raise ConfigError("a program's streams are in no trace instance")
            read = _stream(words, held)
            wait = timeout if timeout is not None else None if follow else 0.0
        else:
            if follow:
                raise ConfigError("--follow is for a program's streams; the trace buffer always is")
            read, wait = _trace_buffer(instance, held), timeout
        for number, line in enumerate(_lines(read, wait), 1):
            click.echo(json.dumps({"line": line}) if as_json else line)
            if number == most:
                break


def _stream(words: Sequence[str], held: ExitStack) -> Callable[[], bytes]:
    """What reads the stream of a program."""
    from ebee.cli import named
    from ebee.linux.programs import STREAMS

    name, *rest = words
    if name not in STREAMS:
        raise ConfigError(f"tracelog of what? {' or '.join(STREAMS)}, and a program")
    program, more = named.program(rest)
    held.enter_context(program)
    if more:
        raise ConfigError(f"what is {' '.join(more)!r} behind the program?")
    return lambda: program.read_stream(name)


def _trace_buffer(instance: str | None, held: ExitStack) -> Callable[[], bytes]:
    """What reads the trace buffer of the kernel, or of an instance."""
    from ebee.linux import tracefs
    from ebee.linux.errors import refused

    doing = "read the trace buffer"
    path = tracefs.root(doing)
    if instance is not None:
        if "/" in instance or instance in ("", ".", ".."):
            raise ConfigError(f"{instance!r} is no name of a trace instance")
        path = f"{path}/instances/{instance}"
        if not os.path.isdir(path):
            raise ConfigError(f"there is no trace instance {instance!r} ({path})")
    try:
        fd = os.open(f"{path}/trace_pipe", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        why = "somebody else reads it" if error.errno == errno.EBUSY else ""
        raise refused(error, doing, why) from None
    held.callback(os.close, fd)

    def read() -> bytes:
        try:
            return os.read(fd, 1 << 16)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise KernelError(f"cannot {doing}: {error.strerror}", error.errno or 0) from None

    return read


def _lines(read: Callable[[], bytes], timeout: float | None) -> Iterator[str]:
    """Lines as they come, until none came for `timeout` seconds. We look again and again, for
    poll() on the trace buffer waits until it is half full, and streams have none."""
    rest, since = b"", time.monotonic()
    while True:
        if part := read():
            *whole, rest = (rest + part).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
            since = time.monotonic()
        elif timeout is not None and time.monotonic() - since >= timeout:
            break
        else:
            time.sleep(PERIOD)
    if rest:
        yield rest.decode(errors="replace")
