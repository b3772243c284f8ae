"""`ebee prog`: what it says of a program is what bpftool says."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ebee import clang
from ebee.errors import CompileError
from ebee.linux import load
from ebee.linux.backend import LinuxObject

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]
SOURCE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8);
	__type(key, int); __type(value, long); } seen SEC(".maps");
int limit = 5;
static __noinline int verdict(int n) { return n > limit ? XDP_DROP : XDP_PASS; }
SEC("xdp") int shown(struct xdp_md *ctx)
{
	int key = ctx->ingress_ifindex;
	long one = 1, *count = bpf_map_lookup_elem(&seen, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&seen, &key, &one, 0);
	return verdict(bpf_get_prandom_u32() % 4);
}
char _license[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinuxObject]:
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    source = tmp_path_factory.mktemp("prog") / "shown.c"
    source.write_text(SOURCE)
    with load(clang.build(source)) as made:
        yield made


def test_a_program_is_described_as_bpftool_does(
    ebee: Run, bpftool: Callable[..., Any], loaded: LinuxObject
) -> None:
    number = loaded.programs["shown"].id
    ours = json.loads(ebee("prog", "show", "id", number, "--json")[1])
    theirs: dict[str, Any] = bpftool("prog", "show", "id", number)
    same = ("id", "type", "name", "tag", "gpl_compatible", "uid", "bytes_xlated", "jited",
            "bytes_jited", "bytes_memlock", "map_ids", "btf_id")  # fmt: skip
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}
    assert abs(ours["loaded_at"] - theirs["loaded_at"]) <= 1
    assert any(owner["pid"] for owner in ours["pids"])
    assert [f["name"] for f in ours["functions"]] == ["shown", "verdict"]
    assert {m["name"] for m in ours["maps"]} == {"seen", "shown.data"}


def test_all_programs_are_listed(ebee: Run, loaded: LinuxObject) -> None:
    number = loaded.programs["shown"].id
    found = {p["id"]: p for p in json.loads(ebee("prog", "show", "--json")[1])}
    assert found[number]["name"] == "shown"
    row = next(
        line for line in ebee("prog", "list")[1].splitlines() if line.startswith(f"{number}")
    )
    assert re.match(rf"{number} +xdp +shown +\d+ \w+ ", row)


def test_instructions_are_bpftools(
    ebee: Run, bpftool: Callable[..., Any], loaded: LinuxObject
) -> None:
    """But for the notation of 64-bit numbers, labels, and calls of the program's own functions."""

    def plain(text: str) -> list[str]:
        lines = re.findall(r"(?m)^ *(\d+: \([0-9a-f]{2}\) .*)$", text)
        lines = [re.sub(r"goto \S+", "goto", line) for line in lines]
        lines = [re.sub(r"call (pc|F).*", "call", line) for line in lines]
        return [re.sub(r" ll$", "", line) for line in lines]

    number = loaded.programs["shown"].id
    ours = ebee("prog", "dump", "xlated", "id", number)[1]
    assert plain(ours) == plain(bpftool("prog", "dump", "xlated", "id", number, plain=True))
    assert "shown():" in ours
    assert "verdict():" in ours
    assert re.search(r"call bpf_get_prandom_u32#|call bpf_user_rnd_u32#", ours)


def test_source_lines_and_bytes(ebee: Run, loaded: LinuxObject) -> None:
    number = loaded.programs["shown"].id
    text = ebee("prog", "dump", "xlated", "id", number, "-S", "--opcodes")[1]
    assert ebee("prog", "dump", "xlated", "id", number, "linum", "opcodes")[1] == text
    assert "; return verdict(bpf_get_prandom_u32() % 4);" in re.sub(r"; \d+: ", "; ", text)
    rows = json.loads(ebee("prog", "dump", "xlated", f"id:{number}", "--json")[1])
    assert rows[0]["function"] == "shown"
    assert any(row["source"] and "ingress_ifindex" in row["source"]["text"] for row in rows)


def test_bare_bytes_go_to_a_file(ebee: Run, loaded: LinuxObject, tmp_path: Path) -> None:
    program = loaded.programs["shown"]
    ebee("prog", "dump", "xlated", "id", program.id, "-o", tmp_path / "code")
    assert (tmp_path / "code").read_bytes() == program.raw.xlated()
    ebee("prog", "dump", "xlated", "id", program.id, "file", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == program.raw.xlated()
    ebee("prog", "dump", "jited", "id", program.id, "-o", tmp_path / "host")
    assert (tmp_path / "host").read_bytes() == program.raw.jited()


def test_machine_code_is_shown_by_function(ebee: Run, loaded: LinuxObject) -> None:
    program = loaded.programs["shown"]
    if not program.raw.jited():
        pytest.skip("programs are not compiled here, or not for us to see")
    text = ebee("prog", "dump", "jited", "id", program.id, "-S")[1]
    assert re.search(r"(?m)^shown: 0x[0-9a-f]+, \d+ bytes$", text)
    assert re.search(r"(?m)^verdict: 0x[0-9a-f]+, \d+ bytes$", text)
    found = json.loads(ebee("prog", "dump", "jited", "id", program.id, "--json")[1])
    assert b"".join(bytes.fromhex(f["bytes"]) for f in found) == program.raw.jited()
    if shutil.which("objdump"):
        assert all(f["instructions"][-1]["text"] for f in found)


def test_the_flow_is_drawn(ebee: Run, loaded: LinuxObject) -> None:
    number = loaded.programs["shown"].id
    text = ebee("prog", "visual", "id", number)[1]
    assert ebee("prog", "dump", "xlated", "id", number, "visual")[1] == text
    assert text.startswith('digraph "program" {\n')
    nodes = set(re.findall(r"(?m)^  (b\d+) \[", text))
    edges = re.findall(r"(?m)^  (b\d+) -> (b\d+)", text)
    assert len(nodes) > 4
    assert edges
    assert {node for edge in edges for node in edge} <= nodes
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=text, text=True, check=True, capture_output=True)


def test_programs_run_and_are_pinned(
    ebee: Run, loaded: LinuxObject, tmp_path: Path, bpffs: Path
) -> None:
    number = loaded.programs["shown"].id
    (tmp_path / "packet").write_bytes(bytes(range(64)))
    words = ("--data-in", tmp_path / "packet", "--repeat", 3, "--data-out", tmp_path / "out")
    assert ebee("prog", "run", "id", number, *words)[1].startswith("returned 2 (0x2), ")
    assert (tmp_path / "out").read_bytes() == bytes(range(64))
    plain = ("data_in", tmp_path / "packet", "repeat", 2, "data_out", tmp_path / "out2")
    assert ebee("prog", "run", "id", number, *plain)[1].startswith("returned 2 (0x2), ")
    assert (tmp_path / "out2").read_bytes() == bytes(range(64))
    assert ebee("prog", "pin", "id", number, bpffs / "shown") == (0, "", "")
    found = json.loads(ebee("prog", "show", bpffs / "shown", "--json")[1])
    assert found["pinned"] == [str(bpffs / "shown")]
    assert "pinned" in ebee("prog", "show", "pinned", bpffs / "shown")[1]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("show id 4294967295", "there is none"),
        ("show name no_such_program", "there is no program with name 'no_such_program'"),
        ("show id 1 2", ""),
        ("dump xlated id 1 opcode", "what is 'opcode' behind the program? Did you mean"),
        ("dump xlated id 1 file", "`file` is followed by nothing"),
        ("run id 1 repeat x", "`repeat` takes a number above 0, not 'x'"),
        ("dump xlated id x", "'x' is no number of a program"),
        ("run nothing", "nothing is pinned there"),
        ("pin id 4294967295 /tmp/x", "there is none"),
    ],
)
def test_mistakes_are_told(ebee: Run, words: str, why: str) -> None:
    code, _, err = ebee("prog", *words.split())
    assert code == 1
    assert why in err
