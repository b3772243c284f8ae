"""The protocol of the public conformance suite: `ebee conformance-plugin`.

With EBEE_CONFORMANCE naming a built checkout of the suite (its `tests` folder and its runner), all
of its cases run too.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebee.cli.conformance import ENGINES, conformance_plugin
from ebee.isa import assemble, encode
from ebee.obj.spec import FunctionSpec, ObjectSpec, ProgramSpec
from ebee.obj.writer import write

pytestmark = pytest.mark.unit


def hexed(text):
    return encode(assemble(text)).hex(" ")


def plugin(program, *arguments):
    """What the plugin prints, and its exit code and error output."""
    command = [sys.executable, "-m", "ebee", "conformance-plugin", *arguments]
    done = subprocess.run(command, input=program, capture_output=True, text=True, timeout=60)
    return done.stdout, done.returncode, done.stderr


def inside(program, *arguments):
    """The same without a process."""
    return CliRunner().invoke(conformance_plugin, list(arguments), input=program)


def test_r0_is_printed_in_hex():
    assert plugin(hexed("r0 = -1; exit")) == ("ffffffffffffffff\n", 0, "")


@pytest.mark.parametrize("engine", ENGINES)
def test_memory_is_the_argument(engine):
    program = hexed("r0 = *(u32 *)(r1 +1); r0 <<= 8; r0 |= r2; exit")
    result = inside(program, "00 11 22 33 44", "--engine", engine)
    assert (result.output, result.exit_code) == ("4433221105\n", 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_without_memory_r1_and_r2_are_zero(engine):
    result = inside(hexed("r0 = r1; r0 |= r2; exit"), "--engine", engine)
    assert (result.output, result.exit_code) == ("0\n", 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_helper_5_gives_its_argument(engine):
    assert inside(hexed("r1 = 77; call 5; exit"), "--engine", engine).output == "4d\n"


@pytest.mark.parametrize("engine", ["interpreter", "quick", "optimised", "most"])
def test_a_helper_by_its_number_in_a_register(engine):
    program = encode([*assemble("r1 = 77; r2 = 5"), *assemble("callx r2"), *assemble("exit")])
    assert inside(program.hex(" "), "--engine", engine).output == "4d\n"


def test_an_object_file():
    insns = assemble("r0 = *(u8 *)(r1 +0); exit")
    spec = ObjectSpec("o", programs={"p": ProgramSpec("p", "xdp", insns, hook="xdp")})
    assert inside(write(spec).hex(), "2a", "--elf").output == "2a\n"


def test_an_object_file_with_more_than_one_section_of_code():
    insns = assemble("r0 = 0; exit")
    spec = ObjectSpec(
        "o",
        programs={"p": ProgramSpec("p", "xdp", insns, hook="xdp")},
        functions={"f": FunctionSpec("f", ".text", insns)},
    )
    _, code, text = plugin(write(spec).hex(), "--elf")
    assert code
    assert "2 sections of code; the protocol has one" in text


BAD = {
    "not hex": ("zz", (), "standard input is not hex"),
    "memory that is not hex": (hexed("r0 = 0; exit"), ("xy",), "the memory is not hex"),
    "a part of an instruction": ("b7 00 00", (), "3 bytes are no eBPF program"),
    "nothing": ("", (), "the program has no instructions"),
    "an unknown opcode": ("ff 00 00 00 00 00 00 00", (), "unknown opcode 0xff"),
    "no ELF file": ("00 01", ("--elf",), "standard input"),
    "a fault": (hexed("r0 = *(u8 *)(r1 +4); exit"), ("00 11",), "instruction 0: read"),
    "a helper that is none": (hexed("call 9999; exit"), (), "helper number 9999"),
    "a loop without end": (hexed("goto -1; exit"), (), "stopped after 10,000,000 instructions"),
}


@pytest.mark.parametrize("name", [n for n in BAD if n != "a loop without end"])
def test_errors_go_to_standard_error(name):
    program, arguments, text = BAD[name]
    out, code, error = plugin(program, *arguments)
    assert (out, code != 0) == ("", True)
    assert text in error
    assert "Traceback" not in error


def test_a_loop_without_end_is_stopped():
    program, arguments, _ = BAD["a loop without end"]
    out, code, error = plugin(program, *arguments, "--engine", "quick")
    assert (out, code != 0) == ("", True)
    assert "too many instructions" in error


SUITE = os.environ.get("EBEE_CONFORMANCE", "")


@pytest.mark.skipif(not SUITE, reason="EBEE_CONFORMANCE names no built conformance suite")
@pytest.mark.parametrize("engine", ENGINES)
def test_the_public_suite(engine, tmp_path):
    wrapper = tmp_path / "plugin"
    wrapper.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m ebee conformance-plugin --engine {engine} "$@"\n'
    )
    wrapper.chmod(0o755)
    done = subprocess.run(
        [str(Path(SUITE, "build/bin/bpf_conformance_runner")), "--test_file_directory",
         str(Path(SUITE, "tests")), "--plugin_path", str(wrapper), "--cpu_version", "v4",
         "--include_groups", "callx", "packet"],
        capture_output=True, text=True, timeout=1800,
    )  # fmt: skip
    tail = done.stdout.splitlines()[-1]
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert done.returncode == 0, f"{tail}\n" + "\n".join(failed[:20])
