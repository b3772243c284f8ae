"""`ebee struct_ops`: registered, shown, taken back."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ebee.linux.errors import older_than
from ebee.linux.maps import LinuxMap

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]
SOURCE = Path(__file__).parents[1] / "fixtures" / "structs" / "congestion.c"
OURS = f"c{os.getpid()}"
"""What the congestion controls of this test are called, of up to 15 characters."""
AVAILABLE = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """plain.o, linked.o: a congestion control each, called after the file, of this test's own."""
    from ebee.clang import build
    from ebee.obj import save

    folder = tmp_path_factory.mktemp("ops")
    text = SOURCE.read_text().replace('"ebee_', f'"{OURS}_')
    for name, other in (("plain", "linked"), ("linked", "plain")):
        section = 'SEC(".struct_ops' + (".link" if other == "linked" else "") + '")\n'
        head = f"{section}struct tcp_congestion_ops {other}"
        assert head in text
        source = folder / f"{name}.c"
        source.write_text(text.replace(head, head.replace('(".', '("?.')))
        save(build(str(source)), folder / f"{name}.o")
    return folder


def available() -> set[str]:
    return set(AVAILABLE.read_text().split())


def test_functions_stay_registered_until_they_are_taken_back(
    ebee: Run, bpftool: Callable[..., Any], objects: Path
) -> None:
    code, out, err = ebee("struct_ops", "register", objects / "plain.o", "--json")
    assert code == 0, err
    [made] = json.loads(out)
    try:
        assert (made["name"], made["pinned"]) == ("plain", None)
        assert f"{OURS}_plain" in available()
        ours = json.loads(ebee("struct_ops", "show", made["id"], "--json")[1])
        assert ours == {
            "id": made["id"], "name": "plain", "kernel_struct_ops": "tcp_congestion_ops",
            "state": "registered", "links": [],
        }  # fmt: skip
        rows = [line.split() for line in ebee("struct_ops", "list")[1].splitlines()]
        assert [str(made["id"]), "plain", "tcp_congestion_ops", "registered"] in [
            row[:4] for row in rows
        ]
        assert bpftool("struct_ops", "show", "id", made["id"]).items() <= ours.items()
    finally:
        assert ebee("struct_ops", "unregister", made["id"]) == (0, "", "")
    assert f"{OURS}_plain" not in available()


def test_what_a_map_holds_is_dumped(ebee: Run, bpftool: Callable[..., Any], objects: Path) -> None:
    """bpftool has functions as one text: `TYPE NAME/prog_id:NUMBER`, or `TYPE 0`."""

    def text(member: dict[str, Any]) -> str:
        made = member["program"]
        behind = f"{made['name']}/prog_id:{made['id']}" if made else "0"
        return f"{member['type']} {behind}".replace("(*)", "")

    [made] = json.loads(ebee("struct_ops", "register", objects / "plain.o", "--json")[1])
    try:
        ours = json.loads(ebee("struct_ops", "dump", made["id"], "--json")[1])
        assert (ours["id"], ours["state"]) == (made["id"], "registered")
        pairs = bpftool("struct_ops", "dump")
        ids = [about["bpf_map_info"]["id"] for about in pairs[::2]]
        theirs = pairs[1::2][ids.index(made["id"])]["bpf_struct_ops_tcp_congestion_ops"]["data"]
        data = ours["value"]["data"]
        assert set(data) == set(theirs)
        functions = {n: m for n, m in data.items() if isinstance(m, dict) and "program" in m}
        plain = lambda text: re.sub(r"\s+", "", text)  # noqa: E731
        assert {n: plain(text(m)) for n, m in functions.items()} == {
            n: plain(theirs[n]) for n in functions
        }
        assert functions["ssthresh"]["program"]["name"] == "ssthresh"
        assert functions["release"]["program"] is None
        assert (data["name"], data["flags"]) == (f"{OURS}_plain", theirs["flags"])
        shown = ebee("struct_ops", "dump", "id", made["id"])[1]
        assert re.search(r"(?m)^ *ssthresh +ssthresh \(program \d+\)$", shown)
        assert made["id"] in [m["id"] for m in json.loads(ebee("struct_ops", "dump", "--json")[1])]
    finally:
        assert ebee("struct_ops", "unregister", made["id"]) == (0, "", "")


@pytest.mark.skipif(older_than("6.4"), reason="needs Linux 6.4")
def test_links_are_pinned_and_detached(
    ebee: Run, objects: Path, bpffs: Path, soon: Callable[[Callable[[], bool]], bool]
) -> None:
    code, out, err = ebee("struct_ops", "register", objects / "linked.o", bpffs, "--json")
    assert code == 0, err
    [made] = json.loads(out)
    assert made["pinned"] == str(bpffs / "linked")
    assert f"{OURS}_linked" in available()
    shown = json.loads(ebee("struct_ops", "show", made["id"], "--json")[1])
    assert (shown["state"], len(shown["links"])) == ("registered", 1)
    if not older_than("6.11"):
        assert ebee("struct_ops", "unregister", "id", made["id"]) == (0, "", "")
        assert f"{OURS}_linked" not in available()
    (bpffs / "linked").unlink()
    assert soon(lambda: f"{OURS}_linked" not in available())


@pytest.mark.skipif(older_than("6.4"), reason="needs Linux 6.4")
def test_what_cannot_be_pinned_is_not_registered(ebee: Run, objects: Path, tmp_path: Path) -> None:
    code, _, err = ebee("struct_ops", "register", objects / "linked.o", tmp_path)
    assert code == 1
    assert "BPF file system" in err
    assert f"{OURS}_linked" not in available()
    code, _, err = ebee("struct_ops", "register", objects / "linked.o")
    assert code == 1
    assert "linked: registered only as long as a link lives; say the folder" in err


def test_mistakes_are_told(ebee: Run, tmp_path: Path) -> None:
    other = tmp_path / "pass.c"
    other.write_text(
        '#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\nSEC("xdp") int p(void *c)'
        ' { return 2; }\nchar _license[] SEC("license") = "GPL";\n'
    )
    with LinuxMap.create("array", 4, 4, 1, name="plainer") as found:
        for words, why in (
            (("register", other), 'has no map in SEC(".struct_ops")'),
            (("unregister", found.id), "(plainer) is of type array"),
            (("show", found.id, "x"), "what is 'x' behind the map?"),
            (("show", "id", 4294967295), "there is none"),
        ):
            code, _, err = ebee("struct_ops", *words)
            assert code == 1
            assert why in err
