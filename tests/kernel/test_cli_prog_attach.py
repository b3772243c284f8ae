"""`ebee prog attach`, `detach`, `tracelog`: in maps, namespaces and trace buffers of the test's."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ebee.clang import build
from ebee.cli import prog_attach
from ebee.errors import CompileError
from ebee.isa import assemble
from ebee.linux import load as linux_load
from ebee.linux import query, uapi
from ebee.linux.errors import older_than
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]
INSTANCES = Path("/sys/kernel/tracing/instances")
PRINTS = """
    r1 = 0x66
    *(u64 *)(r10 -8) = r1
    r1 = 0x6c65732d65656265 ll
    *(u64 *)(r10 -16) = r1
    r1 = r10
    r1 += -16
    r2 = 10
    call 6
    r0 = 2
    exit
"""
"""bpf_trace_printk("ebee-self"), to which the kernel adds a newline."""


def load(type: str, attach_type: str) -> LinuxProgram:
    number = uapi.ATTACH_TYPES[attach_type]
    return LinuxProgram.load(assemble("r0 = 1; exit"), type, name="placed", attach_type=number)


@pytest.mark.parametrize(
    ("type", "kind", "word"),
    [
        ("sk_msg", "sk_msg_verdict", "msg_verdict"),
        ("sk_skb", "sk_skb_verdict", "sk_skb_verdict"),
        ("sk_skb", "sk_skb_stream_verdict", "stream_verdict"),
        ("sk_skb", "sk_skb_stream_parser", "sk_skb_stream_parser"),
    ],
)
def test_programs_of_socket_maps_stay_until_detached(
    ebee: Run, type: str, kind: str, word: str
) -> None:
    def attached() -> list[int]:
        return [p.prog_id for p in query.query(sockets.fd, kind).programs]

    with (
        load(type, kind) as program,
        LinuxMap.create("sockmap", 4, 4, 1, name="sockets") as sockets,
    ):
        words = ("id", program.id, word, "id", sockets.id)
        assert ebee("prog", "attach", *words) == (0, "", "")
        assert attached() == [program.id]
        assert ebee("prog", "detach", *words) == (0, "", "")
        assert attached() == []
        code, _, err = ebee("prog", "detach", *words)
        assert code == 1
        assert "it is not attached there" in err


def test_flow_dissection_is_of_the_namespace(ebee: Run, net: Any) -> None:
    with (
        net.inside("left"),
        load("flow_dissector", "flow_dissector") as program,
        Fd(os.open("/proc/thread-self/ns/net", os.O_RDONLY)) as namespace,
    ):
        for command, expected in (("attach", [program.id]), ("detach", [])):
            assert ebee("prog", command, program.id, "flow_dissector") == (0, "", "")
            found = query.query(namespace, "flow_dissector").programs
            assert [p.prog_id for p in found] == expected


@pytest.fixture
def instance() -> Iterator[str]:
    """A trace buffer of this test's own, into which programs' prints go, too."""
    folder = INSTANCES / f"ebee-{os.getpid()}"
    if not INSTANCES.is_dir():
        pytest.skip("tracefs is not mounted")
    folder.mkdir()
    try:
        (folder / "events/bpf_trace/bpf_trace_printk/enable").write_text("1")
        yield folder.name
    finally:
        folder.rmdir()


def test_what_programs_print_is_shown(ebee: Run, instance: str) -> None:
    words = ("prog", "tracelog", "--instance", instance, "--timeout", "0.2")
    with LinuxProgram.load(assemble(PRINTS), "xdp", name="prints", license="GPL") as program:
        for _ in range(3):
            program.test_run(bytes(64))
        [line] = ebee(*words, "-n", 1)[1].splitlines()
        assert line.endswith("bpf_trace_printk: ebee-self")
        for _ in range(2):
            program.test_run(bytes(64))
    rows = [json.loads(line)["line"] for line in ebee(*words, "--json")[1].splitlines()]
    assert [row.rpartition(": ")[2] for row in rows] == ["ebee-self"] * 2


STREAM = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
extern int bpf_stream_vprintk_impl(int stream, const char *fmt__str, const void *args,
	__u32 len__sz, void *aux__prog) __ksym;
SEC("syscall") int talk(void *ctx)
{
	static const char format[] = "value %d\\n";
	__u64 args[] = { 42 };
	return bpf_stream_vprintk_impl(1, format, args, sizeof args, 0);
}
char _license[] SEC("license") = "GPL";
"""


@pytest.mark.skipif(older_than("6.18"), reason="needs the kfunc of Linux 6.18")
def test_streams_of_a_program_are_read(ebee: Run, tmp_path: Path) -> None:
    """Once; where the kernel has no memory for them (no cmpxchg16b), the program knows."""
    source = tmp_path / "talk.c"
    source.write_text(STREAM)
    try:
        spec = build(source)
    except CompileError as error:
        pytest.skip(str(error))
    with linux_load(spec) as made:
        program = made.programs["talk"]
        failed = program.test_run().retval
        wanted = [] if failed else [{"line": "value 42"}]
        words = ("prog", "tracelog", "stdout", "id", program.id, "--json")
        assert [json.loads(line) for line in ebee(*words)[1].splitlines()] == wanted
        assert ebee(*words) == (0, "", "")
        assert ebee("prog", "tracelog", "stderr", "id", program.id) == (0, "", "")


def test_lines_are_put_together_from_what_comes() -> None:
    parts = iter([b"one\ntw", b"", b"o\n", b"three", b""])
    assert list(prog_attach._lines(lambda: next(parts, b""), 1.0)) == ["one", "two", "three"]


@pytest.mark.skipif(not older_than("6.17"), reason="this kernel has streams")
def test_streams_need_a_kernel_that_has_them(ebee: Run) -> None:
    with load("sk_msg", "sk_msg_verdict") as program:
        code, _, err = ebee("prog", "tracelog", "stdout", "id", program.id)
    assert code == 1
    assert "requires Linux >= 6.17" in err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("attach {p}", "attached as what? One of: sk_msg_verdict"),
        ("attach {p} sk_msg_verdit", "Did you mean 'sk_msg_verdict'?"),
        ("attach {p} sk_msg_verdict", "which map?"),
        ("attach {p} sk_msg_verdict {m} x", "what is 'x' behind the map?"),
        ("attach {p} sk_msg_verdict {m}", "goes to a sockmap or sockhash"),
        ("attach {p} flow_dissector {m}", "flow_dissector takes no map"),
        ("attach {p} flow_dissector", "does not go to a network namespace"),
        ("tracelog --instance ebee-none", "there is no trace instance 'ebee-none'"),
        ("tracelog stdin {p}", "tracelog of what? stdout or stderr, and a program"),
        ("tracelog stdout", "which program?"),
        ("tracelog stdout id 4294967295", "there is none"),
        ("tracelog stdout {p} x", "what is 'x' behind the program?"),
        ("tracelog stdout {p} --instance x", "a program's streams are in no trace instance"),
        ("tracelog --follow", "--follow is for a program's streams"),
        ("tracelog --instance ../x", "'../x' is no name of a trace instance"),
    ],
)
def test_mistakes_are_told(ebee: Run, words: str, why: str) -> None:
    with (
        load("sk_msg", "sk_msg_verdict") as program,
        LinuxMap.create("array", 4, 4, 1) as other,
    ):
        code, _, err = ebee("prog", *words.format(p=program.id, m=other.id).split())
    assert code == 1
    assert why in err
