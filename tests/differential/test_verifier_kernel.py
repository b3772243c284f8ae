"""ebee's verifier and the running kernel's on the same programs."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

from ebee.cli.source import read_spec
from ebee.isa import parse
from ebee.linux.host import possible_cpus
from ebee.verifier.core.check import check
from ebee.verifier.core.profile import PROFILES

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


@pytest.mark.parametrize("seed", ["everyday", "wide everyday"])
def test_random_programs_are_never_accepted_against_the_kernel(seed):
    fuzz, kinds = script("fuzz_verifier"), Counter()
    both = fuzz.Both()
    for number in range(PROGRAMS):
        found = fuzz.trial(both, seed, number)
        assert found.kind != "false accept", fuzz.show(both, found)
        kinds[found.kind] += 1
    assert kinds["agree: accepted"] > PROGRAMS // 20
    assert kinds["agree: rejected"] > PROGRAMS // 4
    assert kinds["false reject"] == 0


def test_the_number_of_a_processor_is_below_what_the_machine_has():
    """Without being told how many there may be, ebee takes the most that Linux can have."""
    fuzz = script("fuzz_verifier")
    both, count = fuzz.Both(), possible_cpus()
    text = "call 8; r1 = r10; r1 += {}; r1 += r0; r0 = *(u8 *)(r1 +0); r0 = 0; exit"
    for start, right in ((-count, True), (1 - count, False)):
        code = parse(text.format(start)).insns
        assert both.kernel(code, "xdp")[0] == both.ebee(code, "xdp").accepted == right
        assert not both.ebee(code, "xdp", PROFILES["6.18"]).accepted


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
