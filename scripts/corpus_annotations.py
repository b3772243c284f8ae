"""What the kernel's selftests expect of loaders without capabilities, beside what ebee says.

    python scripts/corpus_annotations.py FOLDER [--raw FILE] [--kernel 6.12] [--btf FILE] [--list]

FOLDER holds compiled objects of verifier_*.c, FILE is what scripts/raw_tests.c wrote of
verifier/*.c (see corpus_verifier.py). Their tests say what the kernel that they come with does for
a user without any capability: tags like test_expect_failure_unpriv, members like errstr_unpriv.
Needs no kernel. Printed are the counts of each kind of agreement and, with --list, what differs;
the status is not zero when ebee accepts what is expected to be rejected.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from corpus_raw import raw_program, raw_tests

from ebee.btf import Btf
from ebee.errors import EbeeError, ObjectError
from ebee.hooks.numbers import PROG_TYPES, UNPRIVILEGED_TYPES
from ebee.obj import read
from ebee.verifier.core import special
from ebee.verifier.core.check import Verdict, check, check_program
from ebee.verifier.core.errors import DoesNotKnow, Rejected
from ebee.verifier.core.privileges import NONE
from ebee.verifier.core.profile import PROFILES, Profile

_TAG = re.compile(r"^comment:(?:\d+:)?")
_NUMBER = re.compile(r"^\d+=")  # tells tags of the same text apart
_TYPES = frozenset(PROG_TYPES[name] for name in UNPRIVILEGED_TYPES)


class Expected(NamedTuple):
    """One test: what should become of it, and words of the log."""

    where: str
    accepted: bool
    words: list[str]
    verdict: Verdict


def _words(tags: list[str], name: str) -> list[str]:
    texts = [tag.partition("=")[2] for tag in tags if tag.startswith(f"{name}=")]
    return [_NUMBER.sub("", text) for text in texts]


def objects(folder: Path, profile: Profile, kernel: Btf | None) -> Iterator[Expected]:
    """The programs that are annotated for loaders without capabilities."""
    for path in sorted(folder.glob("verifier_*.o")):
        try:
            spec = read(path.read_bytes(), path.stem)
        except EbeeError as error:
            print(f"not opened: {path.name}: {error}", file=sys.stderr)
            continue
        for name, program in spec.programs.items():
            if spec.btf is None or not program.btf_id:
                continue
            tags = [_TAG.sub("", tag) for tag in special.tags(spec.btf, program.btf_id)]
            verdicts = ("test_expect_failure_unpriv", "test_expect_success_unpriv")
            words = _words(tags, "test_expect_msg_unpriv")
            if not words and not any(tag in tags for tag in verdicts):
                continue
            fails = "test_expect_failure" in tags
            fails = (fails or verdicts[0] in tags) and verdicts[1] not in tags
            try:
                verdict = check(spec, name, profile, kernel)
            except ObjectError as error:
                print(f"not judged: {path.stem}/{name}: {error}", file=sys.stderr)
                continue
            words = words or _words(tags, "test_expect_msg")
            yield Expected(f"{path.stem}/{name}", not fails, words, verdict)


def raws(file: Path, profile: Profile, kernel: Btf | None) -> Iterator[Expected]:
    """The raw tests of types of programs that anybody may load."""
    for test in raw_tests(file):
        if test.unprivileged is None or test.type not in _TYPES:
            continue
        try:
            verdict = check_program(raw_program(test, kernel), profile)
        except Rejected as error:
            verdict = Verdict(test.name, "", "rejected", 0, error.id, error.message)
        except DoesNotKnow as unknown:
            verdict = Verdict(test.name, "", "unknown", 0, "unknown", unknown.what)
        accepted, words = test.unprivileged
        yield Expected(f"raw/{test.name}", accepted, [words] if words else [], verdict)


def judge(found: Expected) -> tuple[str, bool]:
    """The kind of agreement, and whether the words are the same."""
    verdict = found.verdict
    same = all(_plain(words) in verdict.message for words in found.words)
    if verdict.outcome == "unknown":
        return "does not know", same
    if verdict.accepted:
        return "agree: accepted" if found.accepted else "false accept", True
    return "false reject" if found.accepted else "agree: rejected", same


def _plain(text: str) -> str:
    return text.replace("\\n", "").strip()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, help="objects of verifier_*.c")
    parser.add_argument("--raw", type=Path, metavar="FILE", help="what raw_tests.c wrote")
    parser.add_argument("--kernel", default="6.12", choices=PROFILES)
    parser.add_argument("--btf", metavar="FILE", help="that kernel's types")
    parser.add_argument("--list", action="store_true", help="print what differs")
    given = parser.parse_args()
    profile = replace(PROFILES[given.kernel], privileges=NONE, max_processed=200_000)
    kernel = Btf.load(given.btf) if given.btf else None
    parts = {"verifier_*.c": objects(given.folder, profile, kernel)}
    if given.raw is not None:
        parts["verifier/*.c"] = raws(given.raw, profile, kernel)
    wrong = 0
    for name, tests in parts.items():
        kinds: Counter[str] = Counter()
        for found in tests:
            kind, same = judge(found)
            kinds[kind] += 1
            kinds["same words"] += same and kind == "agree: rejected"
            if given.list and (not kind.startswith("agree") or not same):
                print(f"{kind}: {found.where}: {found.verdict.message}\n    {found.words}")
        print(f"{name}: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
        wrong += kinds["false accept"]
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
