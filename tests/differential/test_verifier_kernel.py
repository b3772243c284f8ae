"""ebee's verifier and the running kernel's on the same programs."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

from ebee.cli.source import read_spec
from ebee.verifier.core.check import check

pytestmark = [pytest.mark.differential, pytest.mark.kernel]
ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = 250


def script(name):
    """A module of scripts/."""
    if str(ROOT / "scripts") not in sys.path:
        sys.path.insert(0, str(ROOT / "scripts"))
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_random_programs_are_never_accepted_against_the_kernel():
    import random

    fuzz, kinds = script("fuzz_verifier"), Counter()
    both = fuzz.Both()
    for number in range(PROGRAMS):
        rng = random.Random(f"everyday/{number}")
        hook = rng.choice(list(fuzz.HOOKS))
        code = fuzz.Generator(rng, hook, both.fds).make()
        verdict = both.ebee(code, hook)
        accepted, words = both.kernel(code, hook)
        kind = fuzz._kind(verdict, accepted)
        assert kind != "false accept", f"{number}: {words}"
        kinds[kind] += 1
    assert kinds["agree: accepted"] > PROGRAMS // 20
    assert kinds["agree: rejected"] > PROGRAMS // 4
    assert kinds["false reject"] <= PROGRAMS // 50


@pytest.mark.parametrize(
    "path", ["examples/firewall.c", *(f"tests/fixtures/c/{n}.c" for n in
             ("maps", "loops", "subprogs", "globals", "tailcalls"))]
)  # fmt: skip
def test_own_programs_have_the_kernel_s_verdict(path):
    spec = read_spec(str(ROOT / path))
    corpus = script("corpus_verifier")
    for name in spec.programs:
        verdict = check(spec, name)
        accepted, words, processed = corpus.kernel_says(spec, name)
        assert verdict.accepted == accepted, f"{verdict} / {words}"
        if name != "callbacks":  # where ebee marks more scalars precise, and walks more
            assert verdict.processed == processed, name
