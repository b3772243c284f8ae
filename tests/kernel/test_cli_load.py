"""`ebee load`: what is loaded, pinned, attached, reused, and taken back when something fails."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ebee.btf import SIGNED, Btf, BtfBuilder, Int, Member, Struct
from ebee.btf.ext import CoreKind, CoreRelo
from ebee.isa import assemble
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram
from ebee.obj import MapSpec, ObjectSpec, ProgramSpec, Ref, VariableSpec, save

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """XDP that returns `limit`, beside one that only passes."""
    spec = ObjectSpec("limits", license="GPL")
    code = assemble("r1 = 0 ll; r0 = *(u32 *)(r1 +0); exit")
    spec.programs["limited"] = ProgramSpec(
        "limited", "xdp", code, [Ref(0, "data", ".data", 0)], hook="xdp"
    )
    spec.programs["pass"] = ProgramSpec("pass", "xdp", assemble("r0 = 2; exit"), hook="xdp")
    spec.maps[".data"] = MapSpec(".data", "array", 4, 8, 1, data=bytes(8))
    spec.variables["limit"] = VariableSpec("limit", ".data", 0, 4)
    path = tmp_path / "limits.o"
    save(spec, path)
    return path


def test_without_pins_it_shows_what_the_kernel_made(ebee: Run, program: Path) -> None:
    code, out, _ = ebee("load", program)
    assert code == 0
    assert "nothing is pinned, so all is gone again" in out
    found = json.loads(ebee("load", program, "--prog", "pass", "--json")[1])
    assert list(found["programs"]) == ["pass"]
    assert found["programs"]["pass"]["instructions"] == 2
    with pytest.raises(Exception, match="there is none"):
        LinuxProgram.from_id(found["programs"]["pass"]["id"])


def test_programs_and_maps_are_pinned_with_variables_set(
    ebee: Run, program: Path, bpffs: Path
) -> None:
    words = ("--pin", bpffs / "p", "--pin-maps", bpffs / "m", "--set", "limit=3")
    code, out, _ = ebee("load", program, *words)
    assert code == 0
    assert f"pinned: {bpffs}/p/limited" in out
    assert sorted(p.name for p in (bpffs / "p").iterdir()) == ["limited", "pass"]
    assert [p.name for p in (bpffs / "m").iterdir()] == ["_data"]
    with LinuxProgram.get(bpffs / "p" / "limited") as pinned:
        assert pinned.test_run(bytes(64)).retval == 3


def test_pinned_maps_are_used_again(ebee: Run, program: Path, bpffs: Path) -> None:
    ebee("load", program, "--pin-maps", bpffs / "m", "--set", "limit=3")
    given = ("--map", f".data={bpffs}/m/_data")
    ebee("load", program, "--pin", bpffs / "p", *given, "--set", "limit=9")
    with LinuxMap.get(bpffs / "m" / "_data") as shared:
        assert shared.lookup(bytes(4)) == (3).to_bytes(8, "little")  # not set anew
        shared.update(bytes(4), (1).to_bytes(8, "little"))
        number = shared.id
    with LinuxProgram.get(bpffs / "p" / "limited") as pinned:
        assert pinned.test_run(bytes(64)).retval == 1
    found = json.loads(ebee("load", program, "--map", f".data=id:{number}", "--json")[1])
    assert found["maps"][".data"]["id"] == number


def test_what_fails_leaves_nothing_behind(ebee: Run, program: Path, bpffs: Path) -> None:
    (bpffs / "m").mkdir()
    ebee("load", program, "--pin-maps", bpffs / "m")
    code, _, err = ebee("load", program, "--pin", bpffs / "p", "--pin-maps", bpffs / "m")
    assert code == 1
    assert "something is pinned there already" in err
    assert not (bpffs / "p").exists()
    assert [p.name for p in (bpffs / "m").iterdir()] == ["_data"]


def test_attached_programs_stay_by_their_pinned_links(
    ebee: Run, tmp_path: Path, bpffs: Path, net: Any, soon: Callable[[Callable[[], bool]], bool]
) -> None:
    def attached() -> bool:
        command = ["ip", "link", "show", "veth0"]
        return "xdp" in subprocess.run(command, capture_output=True, text=True).stdout

    spec = ObjectSpec("cut", license="GPL")
    spec.programs["cut"] = ProgramSpec("cut", "xdp", assemble("r0 = 1; exit"), hook="xdp")
    path = tmp_path / "cut.o"
    save(spec, path)
    with net.inside("left"):
        code, out, _ = ebee("load", path, "--to", "veth0", "--pin", bpffs / "cut")
        assert (code, "veth0" in out) == (0, True), out
        assert attached()
        assert sorted(p.name for p in (bpffs / "cut").iterdir()) == ["cut", "link_cut"]
        (bpffs / "cut" / "link_cut").unlink()
        assert soon(lambda: not attached())


def types(size: int, *members: tuple[str, int]) -> Btf:
    builder = BtfBuilder()
    builder.add(Int("int", 4, SIGNED))
    builder.add(Struct("thing", size, tuple(Member(n, 1, 8 * at) for n, at in members)))
    return builder.build()


@pytest.fixture
def relocated(tmp_path: Path) -> Path:
    """XDP that returns where thing.x is, or asks for thing.y."""
    spec = ObjectSpec("where", license="GPL")
    spec.btf = types(8, ("x", 0), ("y", 4))
    for number, name in enumerate("xy"):
        core = CoreRelo(0, 2, f"0:{number}", CoreKind.FIELD_BYTE_OFFSET)
        code = assemble(f"r0 = {4 * number}; exit")
        refs = [Ref(0, "core", "thing", 2, core)]
        spec.programs[name] = ProgramSpec(name, "xdp", code, refs, hook="xdp")
    path = tmp_path / "where.o"
    save(spec, path)
    return path


def test_the_target_types_may_be_given(
    ebee: Run, relocated: Path, tmp_path: Path, bpffs: Path
) -> None:
    kernel = tmp_path / "kernel.btf"
    kernel.write_bytes(bytes(types(64, ("x", 40)).data))
    code, _, err = ebee("load", relocated, "--prog", "x", "--btf", kernel, "--pin", bpffs / "p")
    assert code == 0, err
    with LinuxProgram.get(bpffs / "p" / "x") as pinned:
        assert pinned.test_run(bytes(64)).retval == 40
    code, _, err = ebee("load", relocated, "--prog", "y", "--btf", kernel)
    assert code == 1
    assert "the types lack what it needs: " in err
    assert "struct thing has no member 'y'" in err


def test_the_verifiers_log_is_shown(ebee: Run, program: Path) -> None:
    out = ebee("load", program, "--prog", "pass", "--log", "2")[1]
    assert "verifier's log of pass:" in out
    assert "0: (b7) r0 = 2" in out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--prog pas", "has no program 'pas'. Did you mean 'pass'?"),
        ("--set limt=3", "has no variable 'limt'. Did you mean 'limit'?"),
        ("--map nix=/tmp/x", "has no map 'nix'"),
        ("--map .data", "write it as NAME=PATH or NAME=id:NUMBER"),
        ("--map .data=id:x", "'x' is no number"),
        ("--map .data=/nowhere", "nothing is pinned there"),
        ("--pin /nowhere/p", "cannot make /nowhere/p: No such file or directory"),
        ("--pin {tmp}/p", "the folder is on no BPF file system"),
        ("--btf {tmp}/nothing", "there is no such file"),
    ],
)
def test_mistakes_are_told(ebee: Run, program: Path, tmp_path: Path, words: str, why: str) -> None:
    code, _, err = ebee("load", program, *words.format(tmp=tmp_path).split())
    assert code == 1
    assert why in err
    assert not (tmp_path / "p").exists()
