"""The examples' table is what the examples are; each is short, says what it gives, and is run."""

import ast
import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "scripts" / "gen_examples.py"))
PROGRAMS = GENERATOR["programs"]()
LONG = {"firewall"}


def test_the_table_is_up_to_date():
    page = GENERATOR["PAGE"].read_text()
    assert page == GENERATOR["page"](), "run scripts/gen_examples.py"


def test_there_are_enough():
    assert len(PROGRAMS) >= 40


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_an_example_is_short_and_run_by_a_test(path):
    text = path.read_text()
    assert text.count("\n") < 100 or path.stem in LONG
    assert ast.get_docstring(ast.parse(text))
    assert path.stem in GENERATOR["tested"]("differential", "kernel", "vm")
