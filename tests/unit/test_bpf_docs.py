"""The programs and sessions of docs/python.md run."""

import re
from pathlib import Path

import pytest

from ebee.lang.bpf import build
from ebee.lang.source import define

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.S)


def test_first_program_compiles():
    space = define(BLOCKS[0])
    assert build.compile(space["count"]).programs["count"].hook == "xdp"


def test_session(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(BLOCKS[1], {})
    assert capsys.readouterr().out == "2 {'packets': 0, 'bytes': 0}\n"
