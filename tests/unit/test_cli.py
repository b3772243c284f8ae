"""The commands, from their words to their output: what is shown is what the files hold."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from ebee import clang, cli, isa
from ebee.cli.asm import to_object
from ebee.cli.doctor import Row, joined
from ebee.errors import CompileError
from ebee.machine.capture import Capture, CaptureWriter
from ebee.obj import load, write

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "tests" / "fixtures" / "c"
EXAMPLES = ROOT / "examples"
WEB = EXAMPLES / "data" / "web.pcapng"
COMMAND = [sys.executable, "-c", "from ebee.cli import main; main()"]
BY_LENGTH = """
    r2 = *(u32 *)(r1 +4)
    r3 = *(u32 *)(r1 +0)
    r2 -= r3
    r0 = 2
    if r2 < 100 goto done
    r0 = 1
    if r2 < 200 goto done
    r0 = 99
done:
    exit
"""
"""XDP: short packets pass, longer ones are dropped, the longest get a verdict that is none."""


ENGINES = [
    pytest.param(
        "jit", marks=pytest.mark.skipif(not find_spec("llvmlite"), reason="needs llvmlite")
    ),
    "interpreter",
]


@pytest.fixture
def ebee(monkeypatch, capfd):
    """Run a command line in this process and expect success; its standard output."""

    def run(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["ebee", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert ended.value.code == 0, err
        return out

    return run


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "lengths.o"
    path.write_bytes(write(to_object(isa.parse(BY_LENGTH), "lengths", "xdp", "GPL")))
    return path


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "in.pcapng"
    with CaptureWriter(path) as out:
        for number, length in enumerate((60, 60, 150, 60, 300, 150)):
            out.write(bytes(length), 10**18 + number, orig_len=length + 5 * (length == 300))
    return path


@pytest.fixture(scope="module")
def compiler() -> None:
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))


# -- run -------------------------------------------------------------------------------------------


def test_run_counts_verdicts(ebee, program: Path, capture: Path) -> None:
    text = ebee("run", program, "--pcap", capture)
    assert re.search(r"^lengths on the machine, in.pcapng$", text, re.MULTILINE)
    assert re.search(r"^XDP_PASS +3 +180 +50\.0 % +█+$", text, re.MULTILINE)
    assert re.search(r"^XDP_DROP +2 +300 +33\.3 % +█+", text, re.MULTILINE)
    assert re.search(r"^unknown\(99\) +1 +300 +16\.7 % +█+$", text, re.MULTILINE)
    assert re.search(r"^total +6 +780$", text, re.MULTILINE)
    assert "packets/s" in text
    assert "1 packet had been cut when captured" in text
    assert not re.search(r" $", text, re.MULTILINE)


@pytest.mark.parametrize("engine", ENGINES)
def test_run_as_json(ebee, program: Path, capture: Path, engine: str) -> None:
    words = ("--pcap", capture, "--engine", engine, "--limit", 5)
    made = json.loads(ebee("run", program, *words, "--json"))
    assert made.pop("seconds") > 0
    assert made == {
        "file": str(program),
        "program": "lengths",
        "on": "machine",
        "engine": engine,
        "source": str(capture),
        "packets": 5,
        "bytes": 630,
        "verdicts": {
            "XDP_DROP": {"packets": 1, "bytes": 150},
            "XDP_PASS": {"packets": 3, "bytes": 180},
            "unknown(99)": {"packets": 1, "bytes": 300},
        },
        "not_run": {},
        "cut": 1,
        "runs": None,
        "variables": {},
        "tables": [],
        "events": {"count": 0, "first": []},
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["out.pcapng", "out.pcap", "out.pcap.gz"])
def test_run_writes_packets_with_their_verdicts(
    ebee, program: Path, capture: Path, tmp_path: Path, name: str, engine: str
) -> None:
    ebee("run", program, "--pcap", capture, "--out", tmp_path / name, "--engine", engine)
    with Capture.open(capture) as before, Capture.open(tmp_path / name) as after:
        given, found = list(before), list(after)
        assert after.format == ("pcapng" if name == "out.pcapng" else "pcap")
    assert [p.data for p in found] == [p.data for p in given]
    assert [p.ts_ns for p in found] == [p.ts_ns for p in given]
    assert [p.orig_len for p in found] == [p.orig_len for p in given]
    named = ["XDP_PASS", "XDP_PASS", "XDP_DROP", "XDP_PASS", "unknown(99)", "XDP_DROP"]
    assert [p.comment for p in found] == (named if name == "out.pcapng" else [""] * 6)


@pytest.mark.parametrize("packed", [False, True])
def test_run_reads_pipes(program: Path, capture: Path, packed: bool) -> None:
    import gzip

    data = gzip.compress(capture.read_bytes()) if packed else capture.read_bytes()
    words = [*COMMAND, "run", program, "--pcap", "-", "--out", "-"]
    done = subprocess.run(words, input=data, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout[:4] == b"\x0a\x0d\x0d\x0a"
    assert b"XDP_PASS" in done.stdout
    assert b"on the machine" in done.stderr


FAULTY = "r2 = *(u32 *)(r1 +0); r0 = *(u8 *)(r2 +100); exit"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_program_that_misbehaves_names_the_packet(
    monkeypatch, capfd, capture: Path, tmp_path: Path, engine: str
) -> None:
    path = tmp_path / "faulty.o"
    path.write_bytes(write(to_object(isa.parse(FAULTY), "faulty", "xdp", "GPL")))
    words = ["run", path, "--pcap", capture, "--engine", engine]
    monkeypatch.setattr(sys, "argv", ["ebee", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert "ebee: packet 1: faulty" in capfd.readouterr().err


@pytest.mark.skipif(not find_spec("llvmlite"), reason="needs llvmlite")
def test_both_engines_agree_on_a_capture_and_its_maps(ebee, compiler) -> None:
    found = []
    for engine in ("jit", "interpreter"):
        words = ("--pcap", WEB, "--config", EXAMPLES / "firewall.toml", "--limit", 100)
        made = json.loads(
            ebee("run", EXAMPLES / "firewall.c", *words, "--engine", engine, "--json", "--top", 99)
        )
        assert made.pop("engine") == engine
        made.pop("seconds")
        found.append(made)
    assert found[0] == found[1]
    assert found[0]["packets"] == 100


COMPANION = """
from ebee.errors import ConfigError

class RuleFile:
    def __init__(self, path):
        self.path, self.last = path, None

    def update(self, maps):
        text = open(self.path).read()
        open(self.path + ".seen", "w").write(text)
        if text == self.last:
            return None
        first, self.last = self.last is None, text
        if text == "broken" and not first:
            raise ConfigError("rules are broken")
        return {"rules": text}

def tables(maps, top):
    return [("Colours", ("colour", "packets"), [("red", 12345), ("green", 7)][:top])]
"""


def wait_for(path: Path, text: str) -> None:
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_text() == text):
        assert time.monotonic() < deadline, f"{path} does not say {text!r}"
        time.sleep(0.01)


def test_rules_are_followed_and_ctrl_c_shows_the_table_so_far(
    program: Path, capture: Path, tmp_path: Path
) -> None:
    (tmp_path / "lengths_rules.py").write_text(COMPANION)
    rules, seen = tmp_path / "rules", tmp_path / "rules.seen"
    rules.write_text("first")
    words = [*COMMAND, "run", program, "--pcap", "-", "--config", rules]
    pipe = subprocess.PIPE
    data = capture.read_bytes()
    packet = data[-int.from_bytes(data[-4:], "little") :]  # a block, its length at both ends
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(data)
        process.stdin.flush()
        wait_for(seen, "first")
        for text in ("broken", "third"):
            (tmp_path / "new").write_text(text)
            (tmp_path / "new").replace(rules)
            process.stdin.write(packet)
            process.stdin.flush()
            wait_for(seen, text)
        process.send_signal(signal.SIGINT)
        out, err = process.stdout.read().decode(), process.stderr.read().decode()
    assert process.returncode == 130, err
    assert err == (
        "ebee: rules are broken\nthe rules in force stay as they are\n"
        "ebee: the rules have changed: rules: third\n"
    )
    assert re.search(r"^Colours\n.*\n.*\nred +12,345\ngreen +7$", out, re.MULTILINE)


def test_a_companion_that_fails_at_the_start_ends_the_run(
    program: Path, capture: Path, tmp_path: Path
) -> None:
    (tmp_path / "lengths_rules.py").write_text(COMPANION.replace("and not first", ""))
    (tmp_path / "rules").write_text("broken")
    words = [*COMMAND, "run", program, "--pcap", capture, "--config", tmp_path / "rules"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "ebee: rules are broken\n")


def test_maps_without_a_companion_are_shown_by_size(ebee, compiler, capture: Path) -> None:
    text = ebee("run", SOURCES / "maps.c", "--pcap", capture)
    assert "Map per_cpu: percpu_array" in text


def test_variables_are_set_before_loading(ebee, compiler, tmp_path: Path, capture: Path) -> None:
    (tmp_path / "verdict.c").write_text(
        "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
        "const volatile int verdict = XDP_PASS; unsigned long seen; char name[8];\n"
        'SEC("xdp") int prog(struct xdp_md *ctx) { seen++; return verdict; }\n'
    )
    words = ("--pcap", capture, "--set", "verdict=0x1", "--set", "name=hello", "--json")
    made = json.loads(ebee("run", tmp_path / "verdict.c", *words))
    assert list(made["verdicts"]) == ["XDP_DROP"]
    assert made["variables"] == {"verdict": 1, "seen": 6, "name": "hello"}


# -- build, disasm, asm ----------------------------------------------------------------------------


def test_build_writes_an_object_beside_you(ebee, compiler, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert re.fullmatch(
        r"subprogs\.bpf\.o: [\d.]+ KiB, 0 maps; plain \(xdp, 9 instructions\), .*\n",
        ebee("build", SOURCES / "subprogs.c"),
    )
    assert list(load("subprogs.bpf.o").programs) == ["plain", "same_section", "callbacks"]


def test_build_passes_folders_and_macros_on(ebee, compiler, tmp_path: Path) -> None:
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "own.h").write_text("#define VALUE FROM_OUTSIDE\n")
    (tmp_path / "prog.c").write_text(
        "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n#include <own.h>\n"
        'SEC("xdp") int prog(struct xdp_md *ctx) { return VALUE; }\n'
    )
    out = tmp_path / "out.o"
    words = ("-I", tmp_path / "inc", "-D", "FROM_OUTSIDE=3", "--cpu", "v4", "-o", out, "--json")
    made = json.loads(ebee("build", tmp_path / "prog.c", *words))
    assert (made["output"], made["cpu"], made["size"]) == (str(out), "v4", out.stat().st_size)
    assert load(out).programs["prog"].insns[0].imm == 3


HEX = "b7 00 00 00 02 00 00 00 95 00 00 00 00 00 00 00"
TWO = "   0: (b7) r0 = 2\n   1: (95) exit\n"


@pytest.mark.parametrize(
    "text",
    [HEX, HEX.replace(" ", ""), HEX.upper() + "\n", "0x" + HEX.replace(" ", ", 0x")],
    ids=["spaced", "dense", "upper", "C"],
)
def test_disasm_takes_hex_as_people_have_it(ebee, tmp_path: Path, text: str) -> None:
    (tmp_path / "code").write_text(text)
    assert ebee("disasm", tmp_path / "code") == TWO
    assert ebee("disasm", "--hex", tmp_path / "code") == TWO


def test_disasm_takes_bare_bytes(ebee, tmp_path: Path) -> None:
    (tmp_path / "code").write_bytes(bytes.fromhex(HEX))
    assert ebee("disasm", "--raw", tmp_path / "code") == TWO


def test_disasm_names_what_code_refers_to(ebee, compiler) -> None:
    text = ebee("disasm", SOURCES / "externs.c")
    for expected in (
        "call kfunc[bpf_rcu_read_lock]", "= btf[absent_variable]", "= map[.kconfig][0]+",
    ):  # fmt: skip
        assert expected in text
    assert "// CO-RE field_byte_offset struct task_struct.tgid" in ebee(
        "disasm", SOURCES / "core.c"
    )
    text = ebee("disasm", SOURCES / "subprogs.c")
    for expected in ("call shared", "= subprog[step]", "call bpf_loop#181"):
        assert expected in text
    assert re.search(r"= map\[flows\]$", ebee("disasm", SOURCES / "maps.c"), re.MULTILINE)
    assert "map[.data][0]+" in ebee("disasm", SOURCES / "globals.c")


def test_disasm_shows_source_lines_and_bytes(ebee, compiler) -> None:
    text = ebee("disasm", "-S", "--bytes", SOURCES / "subprogs.c", "--prog", "shared")
    assert text.startswith("; function shared in section .text, ")
    assert re.search(r"^      ; .*subprogs\.c\n      ; \d+: .*$", text, re.MULTILINE)
    assert text.endswith("95 00 00 00 00 00 00 00 exit\n")


@pytest.mark.parametrize("name", sorted(p.stem for p in SOURCES.glob("*.c")))
def test_what_disasm_prints_assembles_to_the_same(ebee, compiler, tmp_path: Path, name) -> None:
    spec = clang.build(SOURCES / f"{name}.c", tmp_path / "x.o")
    for function in (*spec.programs.values(), *spec.functions.values()):
        text = ebee("disasm", "-S", tmp_path / "x.o", "--prog", function.name)
        (tmp_path / "x.s").write_text(text)
        made = json.loads(ebee("asm", tmp_path / "x.s", "--json"))
        refs = {r.slot: r for r in function.refs if r.kind != "core"}
        code = isa.decode(bytes.fromhex(made["bytes"]))
        for slot, (insn, wanted) in enumerate(zip(code, function.insns, strict=True)):
            if slot not in refs and slot - 1 not in refs:
                assert insn == wanted
        found = {r["slot"]: (r["symbol"], r["addend"]) for r in made["references"]}
        assert found == {
            slot: (".kconfig" if r.kind == "kconfig" else r.symbol, r.addend)
            for slot, r in refs.items()
        }


FORMS = {
    "hex": b"b7 00 00 00 02 00 00 00\n95 00 00 00 00 00 00 00\n",
    "raw": bytes.fromhex(HEX),
    "c": b"static const struct bpf_insn two[] = {\n\t{ 0xb7, 0, 0, 0, 2 },  // 0: r0 = 2\n"
    b"\t{ 0x95, 0, 0, 0, 0 },  // 1: exit\n};\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_asm_writes(ebee, tmp_path: Path, form: str) -> None:
    (tmp_path / "two.s").write_text("r0 = 2; exit\n")
    ebee("asm", tmp_path / "two.s", "--format", form, "-o", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == FORMS[form]
    ending = {"hex": "txt", "raw": "bin", "c": "h"}[form]
    ebee("asm", tmp_path / "two.s", "-o", tmp_path / f"out.{ending}")
    assert (tmp_path / f"out.{ending}").read_bytes() == FORMS[form]


def test_asm_makes_objects_with_subprograms(ebee, tmp_path: Path, capture: Path) -> None:
    (tmp_path / "prog.s").write_text(
        "call verdict; exit\n"
        "verdict: r1 = 4; r2 = subprog[step]; r3 = r10; r4 = 0; call bpf_loop; r0 = 1; exit\n"
        "step: r0 = 0; exit\n"
    )
    out = tmp_path / "prog.o"
    ebee("asm", tmp_path / "prog.s", "-o", out, "--license", "MIT")
    spec = load(out)
    assert (spec.license, list(spec.programs), list(spec.functions)) == (
        "MIT", ["prog"], ["verdict", "step"],
    )  # fmt: skip
    assert spec.programs["prog"].hook == "xdp"
    made = json.loads(ebee("run", out, "--pcap", capture, "--json"))
    assert list(made["verdicts"]) == ["XDP_DROP"]


CONFORMANCE = {
    "b7 00 00 00 2a 00 00 00 95 00 00 00 00 00 00 00": ("", "2a\n"),
    "71 10 01 00 00 00 00 00 95 00 00 00 00 00 00 00": ("0aff", "ff\n"),
    "b4 00 00 00 ff ff ff ff 95 00 00 00 00 00 00 00": ("", "ffffffff\n"),
    "bf a1 00 00 00 00 00 00 85 00 00 00 05 00 00 00 1f a0 00 00 00 00 00 00"
    " 95 00 00 00 00 00 00 00": ("", "0\n"),
}  # fmt: skip


@pytest.mark.parametrize("code", CONFORMANCE)
def test_the_conformance_suites_protocol(code: str) -> None:
    memory, r0 = CONFORMANCE[code]
    words = [*COMMAND, "conformance-plugin", *([memory] if memory else [])]
    done = subprocess.run(words, input=code, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, r0, "")


def test_the_conformance_suites_protocol_with_objects(program: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.o"
    path.write_bytes(write(to_object(isa.parse("r0 = 7; exit"), "plain", "xdp", "GPL")))
    words = [*COMMAND, "conformance-plugin", "--elf"]
    done = subprocess.run(words, input=path.read_bytes().hex(" "), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "7\n")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], "no hex", "standard input is not hex"),
        (["xyz"], "95 00 00 00 00 00 00 00", "the memory is not hex"),
        ([], "95 00", "2 bytes are no eBPF program"),
        ([], "b7 00 00 00 00 00 00 00", ""),
        ([], "ff 00 00 00 00 00 00 00 95 00 00 00 00 00 00 00", ""),
        ([], "79 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00", ""),
        (["--elf"], "95 00 00 00 00 00 00 00", "not an ELF object"),
    ],
)
def test_the_conformance_suite_is_told_what_is_wrong(words: list[str], code, message: str) -> None:
    command = [*COMMAND, "conformance-plugin", *words]
    done = subprocess.run(command, input=code, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ebee: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


# -- obj show, doctor ------------------------------------------------------------------------------


def test_obj_show_tells_all_that_is_in_an_object(ebee, compiler, tmp_path: Path) -> None:
    spec = clang.build(SOURCES / "maps.c", tmp_path / "maps.o")
    made = json.loads(ebee("obj", "show", tmp_path / "maps.o", "--json"))
    assert made["license"] == spec.license
    assert {n: (p["hook"], p["slots"]) for n, p in made["programs"].items()} == {
        n: (p.hook, len(p.insns)) for n, p in spec.programs.items()
    }
    for name, m in spec.maps.items():
        shown = made["maps"][name]
        assert [shown[k] for k in ("type", "key_size", "value_size", "max_entries", "flags")] == [
            m.type, m.key_size, m.value_size, m.max_entries, m.flags,
        ]  # fmt: skip
    refs = [(r["slot"], r["kind"], r["symbol"]) for r in made["programs"]["count"]["refs"]]
    assert refs == [r[:3] for r in spec.programs["count"].refs]
    text = ebee("obj", "show", tmp_path / "maps.o")
    assert re.search(r"^flows +hash +struct flow +struct counters +1,024$", text, re.MULTILINE)
    assert re.search(r"^networks +lpm_trie +struct cidr +__u32 +100 +no_prealloc", text, re.M)
    assert re.search(r"^count +map +flows +1$", text, re.MULTILINE)
    slots = ebee("obj", "show", "--refs", tmp_path / "maps.o")
    assert re.search(rf"^count +{refs[0][0]} +map +{refs[0][2]}", slots, re.MULTILINE)


def test_obj_show_of_sections_and_big_endian_objects(ebee, program: Path, tmp_path: Path) -> None:
    found = {s["name"]: s for s in json.loads(ebee("obj", "show", program, "--json"))["sections"]}
    assert (found["xdp"]["holds"], found["xdp"]["size"]) == ("code", 8 * 9)
    assert (found["license"]["holds"], found[".symtab"]["holds"]) == ("licence", "")
    spec = load(program)
    spec.endian = "big"
    (tmp_path / "big.o").write_bytes(write(spec))
    text = ebee("obj", "show", tmp_path / "big.o")
    assert re.search(r"byte order +big", text)
    assert re.search(r"xdp +72 +code", text)
    assert re.search(r"lengths +xdp +xdp +9", text)


def test_obj_show_of_externs_and_relocations(ebee, compiler) -> None:
    text = ebee("obj", "show", SOURCES / "externs.c")
    assert re.search(r"^CONFIG_HZ +kconfig +unsigned long CONFIG_HZ +yes$", text, re.MULTILINE)
    assert "void bpf_rcu_read_lock(void)" in text
    text = ebee("obj", "show", SOURCES / "core.c")
    assert "field_exists struct task_struct.no_such_field" in text


def test_doctor_says_what_works_and_why_not(ebee) -> None:
    made = json.loads(ebee("doctor", "--json"))
    rows = {row["name"]: row for group in made.values() for row in group}
    assert rows["Python"]["detail"].startswith(".".join(map(str, sys.version_info[:3])))
    for row in rows.values():
        assert set(row) == {"name", "ok", "detail", "reason", "since"}
        assert row["ok"] or row["reason"], f"{row['name']} does not work, and nobody says why"
    if sys.platform == "linux":
        assert {"Kernel", "Privileges", "Settings", "Features", "Map types"} <= set(made)
        assert rows["kernel"]["detail"].startswith("Linux ")
    text = ebee("doctor")
    assert re.search(r"^✓  Python +3\.", text, re.MULTILINE)


def test_doctor_joins_what_does_not_work_for_one_reason() -> None:
    why = "needs CAP_BPF; run as root"
    rows = [Row("good", True, "fine"), Row("fine", True), Row("old", False, "", "requires 9.9")]
    rows += [Row(n, None, "", f"cannot create {n}: {why} [EPERM]") for n in ("a", "b", "c")]
    last = Row("not known: 3 of 6", None, "", f"a, b, c: {why}")
    assert joined(rows, brief=False) == [*rows[:3], last]
    assert joined(rows, brief=True) == [Row("work", True, "2 of 6: good, fine"), rows[2], last]


def test_a_version_and_help_for_every_command(ebee) -> None:
    from ebee import __version__

    assert ebee("--version") == f"ebee {__version__}\n"
    for name in cli.COMMANDS:
        assert name in ebee("--help")
        assert ebee(name, "--help").startswith(f"Usage: ebee {name} ")


def test_output_is_plain_where_no_terminal_is(program: Path, capture: Path) -> None:
    words = [*COMMAND, "run", program, "--pcap", capture]
    done = subprocess.run(words, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
