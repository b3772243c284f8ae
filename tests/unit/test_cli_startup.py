"""Start-up: `import ebee` and `ebee --help` import next to nothing (times: bench/startup.py)."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

HEAVY = {
    "asyncio", "ctypes", "elftools", "email", "http", "llvmlite", "multiprocessing", "numpy",
    "pyroute2", "rich", "socket", "sqlite3", "ssl", "textual", "unittest", "xml",
}  # fmt: skip
"""Modules that cost milliseconds, or megabytes."""

ROOMS = {"btf", "clang", "helpers", "hooks", "isa", "lang", "linux", "machine", "maps", "obj"}


def imported(code: str) -> set[str]:
    """The modules that running some code imports."""
    script = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nsys.stdout = sys.stderr"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\nprint(*sys.modules)"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return set(done.stderr.split())


def test_import_ebee_imports_no_more_than_typing() -> None:
    found = imported("import ebee") - imported("import typing")
    assert found == {"ebee"}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"], ["disasm", "-h"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    found = imported(f"from ebee.cli import main; sys.argv[1:] = {words}; main()")
    assert "ebee.cli" in found
    assert not HEAVY & {name.partition(".")[0] for name in found}
    assert not ROOMS & {name.split(".")[1] for name in found if name.startswith("ebee.")}


def test_only_the_commands_that_show_tables_import_rich() -> None:
    found = imported("from ebee.cli import main; sys.argv[1:] = ['disasm', '/dev/null']; main()")
    assert "ebee.cli.disasm" in found
    assert "rich" not in found
