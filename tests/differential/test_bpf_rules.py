"""Rules of the language as BPF, each three ways: CPython, the machine, the kernel.

The file bpf_rules.txt is cases: a title, the parameters of a function, and its body.
"""

import random
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from threeway import ThreeWay, rows

pytestmark = pytest.mark.differential

HERE = Path(__file__).parent
PARTS = re.split(r"^=== (.*)\n", (HERE / "bpf_rules.txt").read_text(), flags=re.M)
HEAD, CASES = PARTS[0], dict(zip(PARTS[1::2], PARTS[2::2], strict=True))
INPUTS = 40


@pytest.mark.parametrize("title", CASES)
def test_rule(title):
    parameters, _, body = CASES[title].strip("\n").partition("\n")
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    count = 2 if title.startswith("long") else INPUTS
    with ThreeWay(f"{HEAD}@func\ndef f({parameters}) -> u64:\n{lines}") as way:
        way.check(rows(way.types, random.Random(title), count))
