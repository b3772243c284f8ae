"""`ebee run` without --engine: in the interpreter at first, compiled when that is worth it."""

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ebee import cli
from ebee.cli import engines
from ebee.errors import CompileError
from ebee.machine.machine import MachineProgram

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(not find_spec("llvmlite"), reason="needs llvmlite"),
]

EXAMPLES = Path(__file__).parents[2] / "examples"
WEB = EXAMPLES / "data" / "web.pcapng"


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def firewall(monkeypatch, capfd):
    """Run the example with some words more; its document, and what was said on standard error."""

    def run(*words: object) -> tuple[dict[str, Any], str]:
        fixed = [EXAMPLES / "firewall.py", "--pcap", WEB, "--json", "--top", 99]
        monkeypatch.setattr(sys, "argv", ["ebee", "run", *map(str, [*fixed, *words])])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert ended.value.code == 0, err
        return json.loads(out), err

    return run


def test_few_packets_are_not_worth_compiling(firewall) -> None:
    assert firewall("--limit", 3)[0]["engine"] == "interpreter"


def test_code_that_is_there_is_used_after_the_first_packets(firewall) -> None:
    few = engines.Tiered.FEW
    assert firewall("--limit", 1, "--engine", "jit")[0]["engine"] == "jit"
    assert firewall("--limit", few)[0]["engine"] == "interpreter"
    assert firewall("--limit", few + 1)[0]["engine"] == "jit"


def test_the_change_of_engines_changes_nothing_else(firewall, monkeypatch) -> None:
    monkeypatch.setattr(engines.Tiered, "WORTH", 0.0)
    changed = firewall()[0]
    fixed = firewall("--engine", "jit")[0]
    assert changed["engine"] == fixed["engine"] == "jit"
    assert changed["packets"] > engines.Tiered.FEW
    assert changed.pop("seconds") > 0
    assert fixed.pop("seconds") > 0
    assert changed == fixed


def test_the_time_of_compiling_is_none_of_running(firewall, monkeypatch) -> None:
    class Slow(engines.Compiled):
        def __init__(self, *args: Any):
            time.sleep(1)
            super().__init__(*args)

    monkeypatch.setattr(engines.Tiered, "WORTH", 0.0)
    monkeypatch.setattr(engines, "Compiled", Slow)
    run = firewall("--limit", 5)[0]
    assert run["engine"] == "jit"
    assert run["seconds"] < 1


def test_what_cannot_be_compiled_stays_in_the_interpreter(firewall, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise CompileError("no room")

    monkeypatch.setattr(engines.Tiered, "WORTH", 0.0)
    monkeypatch.setattr(MachineProgram, "compiled", fail)
    run, said = firewall("--limit", 9)
    assert (run["engine"], run["packets"]) == ("interpreter", 9)
    assert said.count("the interpreter is used, for the JIT does not go: no room") == 1
