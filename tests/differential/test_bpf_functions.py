"""Random functions of integers and structs as BPF: CPython, the machine and the kernel give the
same results. EBEE_FUZZ=1 makes it 20,000 functions instead of the everyday few dozen, EBEE_FUZZ=2.5
50,000; EBEE_SEED other ones."""

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from grammar import module
from threeway import ThreeWay, rows

pytestmark = pytest.mark.differential

FUNCTIONS = int(20_000 * float(os.environ["EBEE_FUZZ"])) if "EBEE_FUZZ" in os.environ else 80
SEED = int(os.environ.get("EBEE_SEED", "0"))
BATCH = 8
INPUTS = 10


@pytest.mark.parametrize("part", range(-(-FUNCTIONS // BATCH)))
def test_fuzz_functions_agree(part):
    seed = SEED * 1_000_000 + part
    text, names = module(seed, BATCH)
    with ThreeWay(text, *names) as way:
        way.check(rows(way.types, random.Random(seed), INPUTS))
