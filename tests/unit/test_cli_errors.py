"""Bad input: one clear line on standard error, a non-zero exit, and never a traceback."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ebee import clang, cli
from ebee.errors import CompileError

pytestmark = pytest.mark.unit

EXAMPLES = Path(__file__).parents[2] / "examples"
WEB = EXAMPLES / "data" / "web.pcapng"
COMMAND = [sys.executable, "-c", "from ebee.cli import main; main()"]


@pytest.fixture
def ebee(monkeypatch, capfd):
    """Run a command line in this process: (exit code, standard output, standard error)."""

    def run(*words: object) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["ebee", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return ended.value.code, out, err

    return run


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A folder with good.o, good.pcap and much that is broken."""
    from ebee.cli.asm import to_object
    from ebee.isa import parse
    from ebee.machine.capture import CaptureWriter
    from ebee.obj import write

    place = tmp_path_factory.mktemp("files")
    spec = to_object(parse("r0 = 2; exit"), "good", "xdp", "GPL")
    good = write(spec)
    spec.endian = "big"
    two = to_object(parse("r0 = 2; exit"), "one", "xdp", "GPL")
    two.programs["other"] = to_object(parse("r0 = 1; exit"), "other", "xdp", "GPL").programs[
        "other"
    ]
    traced = to_object(parse("r0 = 0; exit"), "traced", "tracepoint/syscalls/sys_enter_read", "GPL")
    (place / "good.o").write_bytes(good)
    (place / "big.o").write_bytes(write(spec))
    (place / "two.o").write_bytes(write(two))
    (place / "traced.o").write_bytes(write(traced))
    (place / "cut.o").write_bytes(good[: len(good) // 2])
    (place / "stub.o").write_bytes(good[:20])
    (place / "empty.o").write_bytes(b"")
    (place / "text.o").write_text("hello")
    (place / "host.o").write_bytes(Path(sys.executable).resolve().read_bytes())
    (place / "folder.o").mkdir()
    (place / "nothing.c").write_text("int unused;\n")
    (place / "wrong.c").write_text("int wrong = ;\n")
    (place / "latin.s").write_bytes(b"r0 = 0 // caf\xe9\nexit\n")
    (place / "wrong.s").write_text("r0 = 0\nr0 += r1 r2\nexit\n")
    (place / "open.s").write_text("r0 = 0\n")
    (place / "map.s").write_text("r1 = map[flows]\nexit\n")
    (place / "blank.s").write_text("// nothing\n")
    (place / "firewall.o").write_bytes(good)
    (place / "firewall_rules.py").write_bytes((EXAMPLES / "firewall_rules.py").read_bytes())
    (place / "broken.o").write_bytes(good)
    (place / "broken_rules.py").write_text("import no_such_module\n")
    (place / "rude.o").write_bytes(good)
    (place / "rude_rules.py").write_text("def tables(maps, top):\n    return 1 // 0\n")
    (place / "broken.toml").write_text("default = \n")
    (place / "unknown.toml").write_text('defualt = "drop"\n')
    (place / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with CaptureWriter(place / "good.pcap") as out:
        out.write(bytes(60))
    with CaptureWriter(place / "raw.pcap", linktype=101) as out:
        out.write(bytes(60))
    whole = WEB.read_bytes()
    (place / "cut.pcapng").write_bytes(whole[: len(whole) // 2])
    (place / "magic.pcap").write_bytes(b"\x12\x34\x56\x78" + bytes(40))
    (place / "two.pcap").symlink_to("good.pcap")
    return place


RUN = "run {good.o} --pcap {good.pcap}"
CASES = {
    # objects and sources
    "run {cut.o} --pcap x": "truncated ELF",
    "run {stub.o} --pcap x": "truncated ELF: 20 of 64 header bytes",
    "run {empty.o} --pcap x": "the file is empty",
    "run {text.o} --pcap x": "this is not an ELF object",
    "run {host.o} --pcap x": "not BPF",
    "run {folder.o} --pcap x": "is a folder, not a file",
    "run {missing.o} --pcap x": "missing.o: there is no such file",
    "run {missing.c} --pcap x": "missing.c: there is no such file",
    "run {big.o} --pcap {good.pcap}": "big-endian",
    "run {two.o} --pcap {good.pcap}": "has 2 programs, choose with --prog: one, other",
    "run {two.o} --prog othr --pcap {good.pcap}": "Did you mean 'other'? It has: one, other",
    "run {traced.o} --pcap {good.pcap}": "its programs: traced (tracepoint)",
    "run {traced.o} --prog traced --pcap {good.pcap}": "they are not run on packets",
    "obj show {text.o}": "this is not an ELF object",
    "obj show {missing.o}": "there is no such file",
    "obj show {cut.o}": "truncated ELF",
    "build {missing.c}": "there is no such file",
    "build {good.o}": "is no C source",
    "build {folder.o}": "is a folder",
    "build {nothing.c} -I {missing}": "there is no such folder",
    "disasm {text.o}": "neither an ELF object nor hex; --raw",
    "disasm --hex {text.o}": "is not hex",
    "disasm --raw {text.o}": "5 bytes are no eBPF program",
    "disasm {empty.o}": "is empty",
    "disasm {good.o} --prog goof": "Did you mean 'good'?",
    "asm {latin.s}": "byte 13 is no UTF-8",
    "asm {open.s}": "open.s:1: instruction 0",
    "asm {map.s}": "map.s:1: the map 'flows' is not defined here",
    "asm {blank.s}": "has no instructions",
    "asm {missing.s}": "there is no such file",
    "asm {good.s} -o {folder.o}": "cannot write",
    "asm {good.s} -o {x.o} --section xpd": "--section xpd: no hook has such a section",
    # rules and variables
    "run {good.o} --pcap {good.pcap} --config {broken.toml}": "good_rules.py with a RuleFile",
    "run {firewall.o} --pcap {good.pcap} --config {broken.toml}": "broken.toml, line 1, column",
    "run {firewall.o} --pcap {good.pcap} --config {unknown.toml}": "unknown.toml",
    "run {firewall.o} --pcap {good.pcap} --config {binary.toml}": "not UTF-8",
    "run {firewall.o} --pcap {good.pcap} --config {missing.toml}": "cannot read rules",
    "run {firewall.o} --pcap {good.pcap} --config {folder.o}": "Is a directory",
    "run {broken.o} --pcap {good.pcap}": "ModuleNotFoundError: No module named 'no_such_module'",
    "run {rude.o} --pcap {good.pcap}": "rude_rules.py, line 2: ZeroDivisionError",
    RUN + " --set speed": "write it as name=value",
    RUN + " --set speed=1": "has no variable 'speed'",
    # captures
    "run {good.o} --pcap {missing.pcap}": "cannot open capture",
    "run {good.o} --pcap {folder.o}": "Is a directory",
    "run {good.o} --pcap {good.o}": "an ELF object, not a capture",
    "run {good.o} --pcap {empty.o}": "the file is empty",
    "run {good.o} --pcap {magic.pcap}": "neither pcap nor pcapng",
    "run {good.o} --pcap {raw.pcap}": "of link type RAW; programs take Ethernet frames",
    "run {good.o} --pcap {cut.pcapng}": "truncated",
    RUN + " --out {missing}/out.pcap": "cannot create capture",
    RUN + " --out {folder.o}": "Is a directory",
    RUN + " --out /dev/full": "No space left on device",
    RUN + " --out {good.pcap}": "is the capture that is being read",
    "run {good.o} --pcap {good.pcap} --out {two.pcap}": "is the capture that is being read",
    # options that contradict each other
    "run {good.o}": "--pcap IN for a capture, or --dev IF",
    "run {good.o} {good.pcap}": "good.pcap for a capture, --dev",
    RUN + " --dev lo": "--pcap and --dev are two things to run on; choose one",
    RUN + " --mode native": "--mode goes with --dev",
    RUN + " --duration 1": "--duration goes with --dev",
    RUN + " --on linux --cpus 2": "--cpus goes with --on machine",
    RUN + " --on linux --seed 2": "--seed goes with --on machine",
    RUN + " --on linux --engine jit": "--engine goes with --on machine",
    RUN + " --engine interpreter --trust": "--trust is about compiled code",
    RUN + " --json --out -": "both want standard output",
    "run {good.o} --dev lo --on machine": "--dev is an interface of the kernel",
    "run {good.o} --dev lo --out x": "--out goes with --pcap",
    "run {good.o} --dev lo --limit 3": "--limit goes with --pcap",
}  # fmt: skip

MIDWAY = {
    "run {rude.o} --pcap {good.pcap}",
    "run {good.o} --pcap {cut.pcapng}",
    RUN + " --out /dev/full",
}
"""Cases that go wrong when packets have been run already."""


@pytest.mark.parametrize("line", CASES)
def test_bad_input_is_one_clear_line(ebee, files: Path, line: str) -> None:
    (files / "good.s").write_text("r0 = 0\nexit\n")
    words = re.sub(r"\{(.*?)\}", lambda m: str(files / m[1]), line).split()
    code, out, err = ebee(*words)
    assert code == 1
    assert bool(out) == (line in MIDWAY), "tables show what there was before it went wrong"
    assert err.startswith("ebee: ")
    assert CASES[line] in err
    assert err.count("\n") == 1, "more than one line"


COMPILED = {
    "nothing.c": "has no programs; give a function a section",
    "wrong.c": "wrong.c does not compile: expected expression\n",
}


@pytest.mark.parametrize("name", COMPILED)
def test_c_errors_begin_with_one_clear_line(ebee, files: Path, name: str) -> None:
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    code, out, err = ebee("build", files / name, "-o", files / "out.o")
    assert (code, out) == (1, "")
    assert COMPILED[name] in err
    assert "Traceback" not in err
    assert not (files / "out.o").exists()


def test_assembly_errors_point_at_the_place(ebee, files: Path) -> None:
    code, _, err = ebee("asm", files / "wrong.s")
    assert code == 1
    assert "wrong.s:2:10: " in err
    assert err.splitlines()[1:] == ["    r0 += r1 r2", "             ^"]


USAGE = {
    "": "Usage: ebee",
    "rnu": "No such command 'rnu'. Did you mean 'run'?",
    "obj shwo": "No such command 'shwo'",
    "run": "Missing argument 'FILE'",
    "run x --limit 0": "Invalid value for '--limit'",
    "run x --top -1": "Invalid value for '--top'",
    "run x --on moon": "Invalid value for '--on'",
    "run x --cpus 0": "Invalid value for '--cpus'",
    "build x.c --cpu v9": "Invalid value for '--cpu'",
    "doctor --verbose": "No such option '--verbose'",
}


@pytest.mark.parametrize("line", USAGE)
def test_wrong_command_lines_get_usage_and_exit_code_2(ebee, line: str) -> None:
    code, out, err = ebee(*line.split())
    assert (code, out) == (2, "")
    assert USAGE[line] in err
    assert "Traceback" not in err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(ebee, tmp_path: Path) -> None:
    (tmp_path / "secret.o").touch(mode=0)
    code, _, err = ebee("obj", "show", tmp_path / "secret.o")
    assert (code, err) == (1, f"ebee: cannot read {tmp_path}/secret.o: Permission denied\n")


@pytest.mark.parametrize("command", ["disasm {good.o}", "obj show {good.o}", "asm {good.s}", "-h"])
def test_a_full_disk_is_told(files: Path, command: str) -> None:
    (files / "good.s").write_text("r0 = 0\nexit\n")
    words = re.sub(r"\{(.*?)\}", lambda m: str(files / m[1]), command).split()
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "ebee: cannot write the output: No space left on device\n"


@pytest.mark.parametrize("command", ["disasm {good.o}", "obj show {good.o} --json"])
def test_a_reader_that_goes_away_ends_it_quietly(files: Path, command: str) -> None:
    words = re.sub(r"\{(.*?)\}", lambda m: str(files / m[1]), command).split()
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run([*COMMAND, *words], stdout=pipe, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (141, "")


def test_closed_streams_do_no_harm(files: Path) -> None:
    words = [*COMMAND, "disasm", str(files / "good.o")]
    assert subprocess.run(["sh", "-c", '"$@" >&- 2>&-', "sh", *words]).returncode == 0
