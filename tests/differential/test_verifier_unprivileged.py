"""ebee's verifier and the running kernel's on the programs of loaders without CAP_PERFMON."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from ebee import isa
from ebee.errors import KernelError, VerifierError
from ebee.linux.host import missing_capabilities
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram
from ebee.obj.spec import MapSpec

pytestmark = [pytest.mark.differential, pytest.mark.kernel]
ROOT = Path(__file__).resolve().parents[2]
for folder in ("scripts", "tests/unit"):
    sys.path.insert(0, str(ROOT / folder))

import capabilities  # noqa: E402
import test_verifier_privileges as cases  # noqa: E402

PROGRAMS = 200


def without_perfmon(ask):
    """What `ask` gives in a child that has only CAP_BPF and CAP_NET_ADMIN."""
    if missing_capabilities(("CAP_BPF", "CAP_NET_ADMIN")):
        pytest.skip("takes CAP_BPF and CAP_NET_ADMIN, to be left with")
    end, start = os.pipe()
    child = os.fork()
    if not child:
        try:
            capabilities.keep(cases.NO_PERFMON)
            answer = ask()
        except BaseException as error:
            answer = error
        with os.fdopen(start, "wb") as file:
            file.write(pickle.dumps(answer))
        os._exit(0)
    os.close(start)
    with os.fdopen(end, "rb") as file:
        answer = pickle.loads(file.read())
    os.waitpid(child, 0)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def kernel_says(text, fds):
    """The running kernel's verdict, and its log."""
    code = [
        insn._replace(imm=fds[insn.imm]) if insn.op == isa.insn.LDDW and insn.src == 1 else insn
        for insn in isa.assemble(text)
    ]
    try:
        with LinuxProgram.load(code, "xdp", log_level=2) as made:
            return True, made.log
    except VerifierError as error:
        return False, error.log
    except KernelError as error:
        return False, str(error)


def test_the_kernel_rejects_the_same_with_the_same_words():
    specs = (MapSpec("array", "array", 4, 48, 4), MapSpec("one", "prog_array", 4, 4, 4),
             MapSpec("two", "prog_array", 4, 4, 4))  # fmt: skip

    def ask():
        made = [LinuxMap.from_spec(spec, None, None) for spec in specs]
        fds = [each.fd.fileno() for each in made]
        return {name: kernel_says(text, fds) for name, (text, _) in cases.WITHOUT_PERFMON.items()}

    for name, (accepted, log) in without_perfmon(ask).items():
        assert not accepted, name
        assert cases.WITHOUT_PERFMON[name][1] in log, f"{name}: {log}"


def test_the_kernel_counts_ways_of_speculation_alike():
    texts = (
        "r0 = 0\nif r0 == 0 goto out\nr0 = 1\nout: exit",
        "r0 = 0\nif r0 == 0 goto out\nr0 = *(u64 *)(r0 +0)\nout: exit",
        "r6 = 0\nif r6 == 0 goto out\nr0 = r10\nexit\nout: r0 = 0\nexit",
    )
    answers = without_perfmon(lambda: [kernel_says(each, []) for each in texts])
    for text, (accepted, log) in zip(texts, answers, strict=True):
        assert accepted, log
        assert f"processed {cases.verdict(text, cases.NO_PERFMON).processed} insns" in log


def test_random_programs_are_never_accepted_against_the_kernel():
    if missing_capabilities(("CAP_BPF", "CAP_NET_ADMIN")):
        pytest.skip("takes CAP_BPF and CAP_NET_ADMIN, to be left with")
    script = str(ROOT / "scripts/fuzz_unprivileged.py")
    ran = subprocess.run(
        [sys.executable, script, "--seed", "everyday", "--count", str(PROGRAMS)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = {line[:21].strip(): int(line[21:]) for line in ran.stdout.splitlines()[-8:-1]}
    assert found["agree: accepted"] > PROGRAMS // 10
    assert found["agree: rejected"] > PROGRAMS // 3
    assert not found.get("false reject")
