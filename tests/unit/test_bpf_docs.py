"""The first program of docs/python.md compiles; its sessions run in tests/readme."""

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
