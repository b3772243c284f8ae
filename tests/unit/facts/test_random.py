"""Facts hold: random programs, verified by nobody, run in the interpreter, and before each step
every register is what its fact says; and what the pass comes to rest at needs no further step.
(`FACTS_SEEDS=first:last` takes others.)"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from ebee import hooks
from ebee.verifier.facts import Fact
from ebee.verifier.kinds import _Pass
from ebee.verifier.state import Join, arrive

from .author import Author
from .witness import Witness, linked

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


class Rested(_Pass):
    """Looks, when the pass has come to rest, whether one more step from any state tells anything
    that the states do not allow for yet."""

    looked = 0

    def narrow(self):
        for block in () if self.looked else list(self.states):
            for target, s in self.block(block):
                self.looked += 1
                head, back = target in self.graph.heads, self.closes(block, target)
                if head:
                    arrive(s, target, back)
                s.prune()
                known = self.states[target].copy()
                assert not Join(known, s, target, head, back).apply(self.widen if back else None)
        super().narrow()


def test_the_states_are_a_fixed_point():
    looked = 0
    for seed in range(FIRST, LAST):
        text = Author(seed).write()
        found = Rested(linked(text), hooks.by_name("xdp"), (Fact("ctx", offset=0),), {})
        found.facts()
        looked += found.looked
    assert looked > 5 * (LAST - FIRST)
