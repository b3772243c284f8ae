"""Facts hold: random programs, verified by nobody, run in the interpreter, and before each step
every register is what its fact says. (`FACTS_SEEDS=first:last` runs others.)"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from .author import Author
from .witness import Witness

pytestmark = pytest.mark.unit

FIRST, LAST = map(int, os.environ.get("FACTS_SEEDS", "0:60").split(":"))
LENGTHS = (0, 14, 40, 64, 150)


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    made = Witness()
    yield made
    made.machine.close()


def test_random_programs_never_contradict_their_facts(witness):
    steps = 0
    for seed in range(FIRST, LAST):
        code = witness.prepare(Author(seed).write())
        bytes_of = random.Random(seed)
        for length in LENGTHS:
            choices = (0, 1, 2, 255, bytes_of.randrange(256))
            packet = bytes(bytes_of.choice(choices) for _ in range(length))
            steps += witness.watch(code, packet, steps=1000)
    assert steps > 1000 * (LAST - FIRST)  # else the programs do nothing worth looking at
