"""Every command and Python session of the documentation, run again and compared with what it shows.

A ```console block has commands after `$ ` and their output; a line of `...` stands for any lines.
Times, rates, and what depends on the C compiler's version may differ. `sudo` commands run where
we are root. ```pycon blocks are doctests, ```python blocks that begin with `# NAME.py` are files of
that name. Each page is worked through from top to bottom in one folder, which has `examples` in
it.
"""

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ebee import clang
from ebee.errors import CompileError

pytestmark = pytest.mark.readme

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"^```(console|pycon|python(?=\n# \w+\.py\n))\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
UNSTABLE = (
    (r"[\d.]+ [kM]? ?packets/s \((jit|interpreter), [\d.]+ s\)", "RATE"),
    (r"[\d.]+ [kM]? ?packets/s \((\w+), [\d.]+ s\)", r"RATE \1"),
    (r"[\d.]+ KiB", "SIZE"),
    (r"\d+ (instructions|slots)\b", r"N \1"),
    (r"(?m)^(types +)\d+", r"\1N"),
    (r"(?m)^(firewall +xdp +xdp +)\d+", r"\1N"),
    (r"\d\.\d\d s;", "TIME;"),
    (r"(passed) in [\d.]+s", r"\1"),
    (r"(?m)^( +; )\d+:", r"\1N:"),
    (r"(?m)^ *\d+: \([0-9a-f]{2}\) .*$", "INSTRUCTION"),
)  # fmt: skip

COMMANDS = {
    "ebee": "-c 'from ebee.cli import main; main()'",
    "pytest": "-m pytest -p no:cacheprovider",
    "python": "",
}
"""What pages call, and what it is here: arguments of this Python."""

NAMESPACES, MOUNT = ("ebee-guard", "ebee-client"), "/run/ebee-guard"
"""What the tutorial makes beside files. It takes it away, too; a test that fails does so here."""


def blocks(page: Path) -> list[tuple[str, str]]:
    """The blocks of a page: (kind, text)."""
    return [(kind, text) for kind, text in BLOCK.findall(page.read_text())]


@pytest.fixture
def network() -> Iterator[None]:
    """Afterwards nothing of the tutorial's network is left, nor its pins."""
    yield
    if os.geteuid() == 0 and shutil.which("ip"):
        for name in NAMESPACES:
            if Path("/run/netns", name).exists():
                subprocess.run(["ip", "netns", "del", name], check=True)
        if os.path.ismount(MOUNT):
            subprocess.run(["umount", MOUNT], check=True)
            os.rmdir(MOUNT)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the examples in it, and `ebee` on the path."""
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    (tmp_path / "bin").mkdir()
    for name, arguments in COMMANDS.items():
        command = tmp_path / "bin" / name
        command.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        command.chmod(0o755)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path / "work"


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that is shown."""
    parts = re.split(r"(?m)^\$ (.*)\n", text)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def matches(shown: str, got: str) -> bool:
    """Whether output is as shown, but for what cannot be the same twice."""
    for pattern, stable in UNSTABLE:
        shown, got = re.sub(pattern, stable, shown), re.sub(pattern, stable, got)
    parts = [re.escape(part) for part in re.split(r"(?m)^\.\.\.\n", shown.rstrip() + "\n")]
    return re.fullmatch(r"(?:.*\n)*?".join(parts), got.rstrip() + "\n") is not None


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_what_happens(page: Path, place: Path) -> None:
    found = blocks(page)
    if not found:
        pytest.skip("nothing to run")
    names: dict[str, object] = {}
    for kind, text in found:
        if kind == "pycon":
            if 'on="linux"' in text and os.geteuid() != 0:
                continue
            session(page, text, names)
            continue
        if kind == "python":
            name = text.split()[1]
            (place / name).write_text(text)
            continue
        assert text.startswith("$ ")
        for command, shown in commands(text):
            if command.startswith("sudo ") and os.geteuid() != 0:
                continue
            done = subprocess.run(
                command.removeprefix("sudo "), shell=True, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                env=dict(os.environ),  # not what readline has put beside it: COLUMNS
            )  # fmt: skip
            assert matches(shown, done.stdout), (
                f"{page.name}: $ {command}\nshown:\n{shown}\ngot:\n{done.stdout}"
            )


@contextmanager
def patched_path() -> Iterator[None]:
    """Modules are found in the working folder, as where sessions are typed."""
    before, loaded = list(sys.path), set(sys.modules)
    sys.path.insert(0, os.getcwd())
    try:
        yield
    finally:
        sys.path[:] = before
        here = {n for n in set(sys.modules) - loaded if Path(f"{n}.py").exists()}
        for name in here:
            del sys.modules[name]


def session(page: Path, text: str, names: dict[str, object]) -> None:
    """Run a Python session as a doctest; later ones of the page know its names."""
    example = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    with patched_path():
        runner.run(example, out=said.append, clear_globs=False)
    names.update(example.globs)
    assert not runner.failures, "".join(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
