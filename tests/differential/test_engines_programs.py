"""Interpreter, JIT (all tiers, with and without checks) and kernel agree on random programs."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engines import compare, valid
from engines.program import minimise

pytestmark = pytest.mark.differential

SEED = "everyday"
QUICK = (("quick", True), ("quick", False))


@pytest.fixture(scope="module")
def engines():
    made = compare.Engines(valid.shared())
    yield made
    made.close()


@pytest.fixture(scope="module")
def kernel():
    if os.geteuid():
        pytest.skip("needs root")
    made = compare.Kernel(valid.shared())
    yield made
    made.close()


def check(engines, programs, ways):
    for program, found in zip(programs, engines.run_all(programs, ways), strict=True):
        reference = found.pop("interpreter")
        for name, result in found.items():
            assert reference.same(result), (
                f"interpreter and {name}: {reference.error or result.error}\n{program.text()}"
            )


def test_the_interpreter_and_the_kernel(engines, kernel):
    refused = 0
    for number in range(250):
        program = valid.make_program(f"{SEED}{number}", 5)
        truth = kernel.run(program)
        refused += truth.error.startswith("refused")
        if not truth.error:
            ours = engines.interpret(engines.prepare(program), program.inputs)
            assert ours.same(truth), f"{ours.error}\n{program.text()}"
    assert refused < 25


def test_the_interpreter_and_the_quick_tier(engines):
    check(engines, [valid.make_program(f"{SEED}{n}", 5) for n in range(100)], QUICK)


def test_the_interpreter_and_all_tiers(engines):
    check(engines, [valid.make_program(f"{SEED}{n}", 5) for n in range(100, 130)], compare.WAYS)


def test_programs_of_one_kind_of_statement(engines, kernel):
    """Each kind alone, so that none hides behind another."""
    programs = []
    for name in sorted(valid.WEIGHTS):
        programs += [valid.make_program(f"{SEED}-{name}{n}", 3, {name, "alu"}) for n in range(2)]
    for program in programs:
        truth = kernel.run(program)
        ours = engines.interpret(engines.prepare(program), program.inputs)
        assert truth.error or ours.same(truth), program.text()
    check(engines, programs, QUICK)


def test_a_disagreement_is_cut_down():
    """The minimiser keeps what matters: here, a multiplication of some input."""
    made = (valid.make_program(f"{SEED}{n}", 4) for n in range(100))

    def multiplies(p):
        return any("*= " in line for line in p.text().splitlines())

    program = next(filter(multiplies, made))

    small = minimise(program, multiplies)
    assert multiplies(small)
    assert len(small.link().insns) < 4
    assert len(small.inputs) == 1
