"""`ebee new`: projects whose own tests pass, and that type checkers and the formatter like."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ebee.cli import new
from ebee.errors import ConfigError

pytestmark = pytest.mark.unit


def make(*words: str) -> str:
    done = CliRunner().invoke(new.new, words)
    if done.exception:
        raise done.exception
    return done.output


@pytest.mark.parametrize("kind", new.KINDS)
def test_a_new_project_passes_its_tests(tmp_path: Path, monkeypatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    said = make("my-thing", "--kind", kind)
    assert said.splitlines()[-1] == "Next: cd my-thing; pytest; and see README.md"
    project = tmp_path / "my-thing"
    names = {str(p.relative_to(project)) for p in project.rglob("*") if p.is_file()}
    assert names == {"my_thing.py", "tests/test_my_thing.py", "README.md", "pyproject.toml",
                     ".gitignore"}  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
                          cwd=project, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    if os.geteuid() == 0 and Path("/sys/kernel/btf/vmlinux").exists():
        assert "skipped" not in done.stdout


@pytest.mark.parametrize("kind", new.KINDS)
def test_a_new_project_is_typed_and_tidy(tmp_path: Path, monkeypatch, kind: str) -> None:
    pytest.importorskip("mypy")
    monkeypatch.chdir(tmp_path)
    make("thing", "--kind", kind)
    source = str(Path(new.__file__).parents[2])
    for command in (
        ["mypy", "--strict", "thing.py", "tests"],
        ["ruff", "check", "--select", "E,F,B,UP", "--line-length", "100", "."],
        ["ruff", "format", "--check", "--line-length", "100", "."],
    ):
        done = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path / "thing",
                              capture_output=True, text=True,
                              env=os.environ | {"MYPYPATH": source})  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["1st", "for", "a b", "sixteen_letters_", "größe", "a.b", "."])
def test_names_that_are_none(tmp_path: Path, monkeypatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="is no name for a program"):
        make(name)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    make("empty")
    with pytest.raises(ConfigError, match="empty is there already"):
        make("empty")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="file is there already"):
        make("file")
    make("deep/er/name")
    assert (tmp_path / "deep/er/name/name.py").is_file()
