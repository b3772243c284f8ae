"""`ebee check` where no kernel publishes its types: those that come with ebee stand in, it says so,
and what is not in them is not taken for absent."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ebee import cli
from ebee.btf import SIGNED, BtfBuilder, Int, Member, Struct, files
from ebee.btf.ext import CoreKind, CoreRelo
from ebee.isa import assemble
from ebee.obj import ObjectSpec, ProgramSpec, Ref, save
from ebee.verifier.core.program import running_kernel

pytestmark = pytest.mark.unit

Run = Callable[..., tuple[int, str, str]]
ACCEPTED, UNKNOWN = 0, 4


@pytest.fixture
def ebee(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Run]:
    """Run a command line on a machine without a kernel's types."""
    monkeypatch.setattr(files, "VMLINUX", tmp_path / "vmlinux")
    running_kernel.cache_clear()

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ebee", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    yield run
    running_kernel.cache_clear()


def relocated(path: Path, struct: str, member: str) -> Path:
    """XDP that asks where a member of a struct is, and ends."""
    spec = ObjectSpec("asks", license="GPL")
    types = BtfBuilder()
    types.add(Int("int", 4, SIGNED, 32))
    types.add(Struct(struct, 4, (Member(member, 1, 0),)))
    spec.btf = types.build()
    core = CoreRelo(0, 2, "0:0", CoreKind.FIELD_BYTE_OFFSET)
    refs = [Ref(0, "core", struct, 2, core)]
    code = assemble("r1 = 0; r0 = 2; exit")
    spec.programs["asks"] = ProgramSpec("asks", "xdp", code, refs, hook="xdp")
    save(spec, path)
    return path


def test_programs_are_checked_against_the_bundled_types(ebee: Run, tmp_path: Path) -> None:
    code, out, err = ebee("check", relocated(tmp_path / "a.o", "task_struct", "pid"))
    assert code == ACCEPTED, out
    assert "there is no kernel with BTF here: checked against the bundled BTF (Linux 6." in err


def test_what_is_not_bundled_is_not_known(ebee: Run, tmp_path: Path) -> None:
    code, out, _ = ebee("check", relocated(tmp_path / "a.o", "some_rare_struct", "x"))
    assert code == UNKNOWN
    assert "some_rare_struct is not in the bundled BTF" in out


def test_nothing_is_said_when_no_types_are_needed(ebee: Run, tmp_path: Path) -> None:
    spec = ObjectSpec("plain", license="GPL")
    spec.programs["p"] = ProgramSpec("p", "xdp", assemble("r0 = 2; exit"), hook="xdp")
    save(spec, tmp_path / "p.o")
    assert ebee("check", tmp_path / "p.o")[2] == ""
