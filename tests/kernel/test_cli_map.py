"""`ebee map`: maps and their elements, as bpftool shows and changes them, but typed."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ebee.btf import SIGNED, Array, BtfBuilder, Int, Member, Struct
from ebee.isa import assemble
from ebee.linux import load
from ebee.linux.backend import LinuxObject
from ebee.obj import MapSpec, ObjectSpec, ProgramSpec

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def loaded() -> Iterator[LinuxObject]:
    """Maps with types and without, and a program to hold."""
    spec = ObjectSpec("maps", license="GPL")
    types = BtfBuilder()
    types.add(Int("int", 4, SIGNED, 32))
    types.add(Int("char", 1, SIGNED, 8))
    types.add(Array(2, 1, 8))
    types.add(Struct("flow", 12, (Member("from", 1, 0), Member("name", 3, 32))))
    spec.btf = types.build()
    made = (
        MapSpec("flows", "hash", 12, 4, 16, key_btf_id=4, value_btf_id=1),
        MapSpec("plain", "array", 4, 8, 3),
        MapSpec("each", "percpu_array", 4, 8, 1),
        MapSpec("jumps", "prog_array", 4, 4, 2),
        MapSpec("waiting", "queue", 0, 4, 2),
        MapSpec("heap", "stack", 0, 4, 2),
    )
    spec.maps = {m.name: m for m in made}
    spec.programs["held"] = ProgramSpec("held", "xdp", assemble("r0 = 2; exit"), hook="xdp")
    with load(spec) as found:
        yield found


@pytest.fixture
def number(loaded: LinuxObject) -> Callable[[str], str]:
    """The id of a map, for the command line."""
    return lambda name: f"id:{getattr(loaded.maps[name].raw, 'id')}"  # noqa: B009


@pytest.mark.parametrize("name", ["flows", "plain", "each", "waiting"])
def test_maps_are_described_as_bpftool_does(
    ebee: Run, bpftool: Callable[..., Any], number: Callable[[str], str], name: str
) -> None:
    ours = json.loads(ebee("map", "show", number(name), "--json")[1])
    theirs = bpftool("map", "show", "id", number(name)[3:])
    same = ("id", "type", "name", "flags", "bytes_key", "bytes_value", "max_entries",
            "bytes_memlock", "frozen")  # fmt: skip
    assert {key: ours[key] for key in same} == {key: theirs[key] for key in same}
    assert any(owner["pid"] for owner in ours["pids"])


def test_types_are_told(ebee: Run, number: Callable[[str], str]) -> None:
    text = ebee("map", "show", number("flows"))[1]
    assert "key      struct flow { int from; char name[8]; }, 12 bytes" in text
    assert "value    int, 4 bytes" in text
    listed = ebee("map", "list")[1]
    assert number("flows")[3:] in [line.split()[0] for line in listed.splitlines() if line]


def test_typed_elements_come_and_go(
    ebee: Run, bpftool: Callable[..., Any], loaded: LinuxObject, number: Callable[[str], str]
) -> None:
    flows, key = number("flows"), '{"from": 3, "name": "x"}'
    assert ebee("map", "update", flows, "key", key, "value", 7) == (0, "", "")
    assert ebee("map", "lookup", flows, "key", key)[1] == "7\n"
    assert loaded.maps["flows"][{"from": 3, "name": "x"}] == 7
    assert ebee("map", "dump", flows)[1] == "{from: 3, name: x}: 7\n1 element\n"
    theirs = bpftool("map", "dump", "id", flows[3:])
    ours = json.loads(ebee("map", "dump", flows, "--json")[1])
    assert ours == [element["formatted"] for element in theirs]
    assert ebee("map", "getnext", flows)[1] == "{from: 3, name: x}\n"
    assert ebee("map", "getnext", flows, "key", key)[0] == 1
    assert ebee("map", "delete", flows, "key", key)[0] == 0
    code, _, err = ebee("map", "lookup", flows, "key", key)
    assert (code, "map flows has no element" in err) == (1, True)


def test_bytes_are_taken_as_bpftool_takes_them(
    ebee: Run, bpftool: Callable[..., Any], number: Callable[[str], str]
) -> None:
    plain = number("plain")
    one = ("key", 1, 0, 0, 0)
    assert ebee("map", "update", plain, *one, "value", *[0x12, 0, 0, 0, 0, 0, 0, 0])[0] == 0
    found = bpftool("map", "lookup", "id", plain[3:], *one)
    assert found["value"] == ["0x12", *["0x00"] * 7]
    assert ebee("map", "lookup", plain, "key", "hex", "01 00 00 00")[1] == "18\n"
    assert (
        ebee("map", "lookup", plain, "key", "1", "--json")[1]
        == '{\n  "key": 1,\n  "value": 18\n}\n'
    )


def test_flags_of_updates(ebee: Run, number: Callable[[str], str]) -> None:
    flows, words = number("flows"), ("key", '{"from": 1}', "value", 5)
    code, _, err = ebee("map", "update", flows, *words, "exist")
    assert (code, "ENOENT" in err) == (1, True)
    assert ebee("map", "update", flows, *words, "noexist")[0] == 0
    code, _, err = ebee("map", "update", flows, *words, "noexist")
    assert (code, "EEXIST" in err) == (1, True)


def test_values_of_each_cpu(
    ebee: Run, bpftool: Callable[..., Any], number: Callable[[str], str]
) -> None:
    each = number("each")
    ebee("map", "update", each, "key", 0, "value", 9)
    found = json.loads(ebee("map", "lookup", each, "key", 0, "--json")[1])
    assert set(found["value"]) == {9}
    assert len(found["value"]) == len(bpftool("map", "lookup", "id", each[3:], "key", 0, 0, 0, 0)
                                      ["values"])  # fmt: skip


def test_programs_are_values(ebee: Run, loaded: LinuxObject, number: Callable[[str], str]) -> None:
    program = loaded.programs["held"].id
    assert ebee("map", "update", number("jumps"), "key", 1, "value", "id", program)[0] == 0
    assert ebee("map", "lookup", number("jumps"), "key", 1)[1] == f"{program}\n"


def test_queues_and_stacks(ebee: Run, number: Callable[[str], str]) -> None:
    for value in (1, 2):
        ebee("map", "enqueue", number("waiting"), "value", value)
        ebee("map", "push", number("heap"), "value", value)
    assert ebee("map", "peek", number("waiting"))[1] == "1\n"
    assert [ebee("map", "dequeue", number("waiting"))[1] for _ in range(2)] == ["1\n", "2\n"]
    assert ebee("map", "pop", number("heap"), "--json")[1] == '{\n  "value": 2\n}\n'
    code, _, err = ebee("map", "dequeue", number("waiting"))
    assert (code, err) == (1, "ebee: map waiting is empty\n")


def test_maps_are_created_pinned_and_frozen(ebee: Run, bpffs: Path) -> None:
    words = "type hash key 4 value 8 entries 5 name fresh"
    assert ebee("map", "create", bpffs / "fresh", *words.split()) == (0, "", "")
    found = json.loads(ebee("map", "show", bpffs / "fresh", "--json")[1])
    assert (found["type"], found["name"], found["max_entries"]) == ("hash", "fresh", 5)
    assert found["pinned"] == [str(bpffs / "fresh")]
    ebee("map", "pin", bpffs / "fresh", bpffs / "again")
    assert (bpffs / "again").exists()
    words = "type array key 4 value 4 entries 1"
    assert ebee("map", "create", bpffs / "stop", *words.split())[0] == 0
    words = f"type hash_of_maps key 4 value 4 entries 3 inner_map pinned {bpffs / 'stop'}"
    assert ebee("map", "create", bpffs / "outer", *words.split()) == (0, "", "")
    put = ("map", "update", bpffs / "outer", "key", 1, "value", "pinned", bpffs / "stop")
    assert ebee(*put) == (0, "", "")
    other = ("map", "update", bpffs / "outer", "key", 1, "value", "pinned", bpffs / "fresh")
    assert ebee(*other)[0] == 1, "another kind of map than the inner one"
    ebee("map", "freeze", bpffs / "stop")
    code, _, err = ebee("map", "update", bpffs / "stop", "key", 0, "value", 1)
    assert (code, "EPERM" in err) == (1, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("lookup {} key", "`key` is followed by nothing"),
        ("lookup {}", "which element of plain? Give `key DATA`"),
        ("lookup {} kye 1", "what is 'kye'? After the map come `key DATA` and `value DATA`"),
        ("lookup {} key 1 2", "2 bytes were given; there must be 4"),
        ("lookup {} key 1 x 2 3", "are no bytes (0 to 255)"),
        ("lookup {} key hex zz", "'zz' are no bytes in hex"),
        ("lookup {} key 9", "map plain has no element 9"),
        ("lookup {} key text", "map plain: a key:"),
        ("update {} key 1", "set it to what? Give `value DATA`"),
        ("update {} key 1 value 99999999999999999999999", "map plain: a value:"),
        ("create /nowhere/x type hsh key 4 value 4 entries 1", "'hsh' is no map type"),
        ("create /nowhere/x type hash kye 4", "does not know 'kye'. Did you mean 'key'?"),
        ("create /nowhere/x type hash key four", "key 'four' is no number"),
        ("create /nowhere/x key 4", "of which type?"),
        ("create /nowhere/x type hash dev no_such", "no network interface 'no_such'"),
        ("create /nowhere/x type hash_of_maps inner_map id 4294967295", "there is none"),
        ("show id:4294967295", "there is none"),
        ("enqueue {}", "put in what? Give `value DATA`"),
    ],
)
def test_mistakes_are_told(ebee: Run, number: Callable[[str], str], words: str, why: str) -> None:
    code, _, err = ebee("map", *words.format(number("plain")).split())
    assert code == 1
    assert why in err
