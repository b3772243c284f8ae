"""docs/features.md: every row names a test that is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "features.md"
COLUMNS = 6
ANSWERS = re.compile(r"(yes|no|partly)\b")


def rows() -> list[list[str]]:
    """The cells of all rows, without heads and rules."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "what"]


@cache
def defined_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_there_are_enough_rows() -> None:
    assert len(rows()) > 45


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_row_says_yes_no_or_partly_and_names_its_test(row: list[str]) -> None:
    assert len(row) == COLUMNS
    assert all(ANSWERS.match(cell) for cell in row[1:5]), row
    path, _, name = row[5].partition("::")
    assert name in defined_in(ROOT / path), f"{path} has no {name}"


def test_no_test_is_named_twice() -> None:
    named = [row[5] for row in rows()]
    assert len(named) == len(set(named))
