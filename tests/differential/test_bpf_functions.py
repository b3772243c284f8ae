"""Random functions of integers and structs as BPF: CPython, the machine and the kernel give the
same results. Some dozens of a fixed seed; `scripts/fuzz.py functions` (`make fuzz`): 50,000."""

import random
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from grammar import module
from threeway import KERNEL, ThreeWay, rows

from ebee.errors import VerifierError
from ebee.lang.errors import SourceError

pytestmark = pytest.mark.differential

FUNCTIONS = 80
BATCH = 8
INPUTS = 10
LIMITS = ("too complex", "too large", "bytes of stack", "combined stack size")
"""What the kernel says of a program that is right, but more than it follows."""


@pytest.mark.parametrize("part", [*range(-(-FUNCTIONS // BATCH)), "w0", "w1", "w2"])
def test_fuzz_functions_agree(part):
    found = attempt(part)
    assert found["agree three ways" if KERNEL else "agree"] > BATCH / 2


def attempt(seed, count=BATCH):
    """Compare functions: one after the other where all of them together are more than the kernel
    takes; and what even then it does not take is compared without it."""
    text, names = module(seed, count)
    found = Counter()
    all_ways = "agree three ways" if KERNEL else "agree"
    if agree(text, names, seed):
        found[all_ways] += count
        return found
    for name in names:
        if agree(text, [name], seed):
            found[all_ways] += 1
        else:
            beyond = agree(text, [name], seed, kernel=False)
            found["agree, too large for the kernel" if beyond else "too large"] += 1
    return found


def agree(text, names, seed, **where):
    """Compare functions; False when they are beyond a limit of the kernel."""
    tier = "optimised" if random.Random(f"tier {seed}").random() < 0.25 else "quick"
    try:
        made = ThreeWay(text, *names, tier=tier, **where)
    except (VerifierError, SourceError) as error:
        if any(limit in str(error) for limit in LIMITS):
            return False
        raise
    with made as way:
        way.check(rows(way.types, random.Random(seed), INPUTS))
    return True
