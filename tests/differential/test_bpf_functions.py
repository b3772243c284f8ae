"""Random functions of integers and structs as BPF: CPython, the machine and the kernel give the
same results. EBEE_FUZZ=1 makes it 20,000 functions instead of the everyday few dozen, EBEE_FUZZ=2.5
50,000; EBEE_SEED other ones."""

import os
import random
import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from grammar import module
from threeway import ThreeWay, rows

from ebee.errors import VerifierError
from ebee.lang.errors import SourceError

pytestmark = pytest.mark.differential

FUNCTIONS = int(20_000 * float(os.environ["EBEE_FUZZ"])) if "EBEE_FUZZ" in os.environ else 80
SEED = int(os.environ.get("EBEE_SEED", "0"))
BATCH = 8
INPUTS = 10
LIMITS = ("too complex", "too large", "bytes of stack", "combined stack size")
"""What the kernel says of a program that is right, but more than it follows."""


@pytest.mark.parametrize("part", range(-(-FUNCTIONS // BATCH)))
def test_fuzz_functions_agree(part):
    """One after the other where all of them together are more than the kernel takes; and what
    even then it does not take is warned of, and compared without it."""
    seed = SEED * 1_000_000 + part
    text, names = module(seed, BATCH)
    if not agree(text, names, seed):
        for name in names:
            if not agree(text, [name], seed):
                warnings.warn(f"{name} of {seed}: more than the verifier follows", stacklevel=1)
                agree(text, [name], seed, kernel=False)


def agree(text, names, seed, **where):
    """Compare functions; False when they are beyond a limit of the kernel."""
    try:
        made = ThreeWay(text, *names, tier="optimised" if seed % 4 == 0 else "quick", **where)
    except (VerifierError, SourceError) as error:
        if any(limit in str(error) for limit in LIMITS):
            return False
        raise
    with made as way:
        way.check(rows(way.types, random.Random(seed), INPUTS))
    return True
