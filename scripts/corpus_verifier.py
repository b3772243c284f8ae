"""Compare ebee's verifier with the running kernel's, program by program.

    python scripts/corpus_verifier.py FOLDER [--only TEXT] [--kernel 6.18] [--list CLASS]

FOLDER holds compiled objects (*.o), for example of the selftests of a linux-source package,
compiled with clang into a scratch folder. Every program is loaded (never attached) and checked;
printed are the counts of each kind of agreement and the causes of what differs. Ends with a status
that is not zero when ebee accepts what the kernel rejects. Needs root.
"""

from __future__ import annotations

import argparse
import dataclasses
import errno
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ebee.errors import EbeeError, KernelError, ObjectError, VerifierError
from ebee.linux.backend import load
from ebee.linux.programs import digest
from ebee.obj import read
from ebee.obj.spec import ObjectSpec
from ebee.verifier.core.check import Verdict, check
from ebee.verifier.core.profile import PROFILES, Profile

SECONDS = 60
_NUMBERS = re.compile(r"0x[0-9a-f]+")
_PROCESSED = re.compile(r"processed (\d+) insns")
CLASSES = (
    "agree: accepted", "agree: rejected", "false accept", "false reject", "does not know",
    "no oracle", "ebee failed",
)  # fmt: skip


@dataclasses.dataclass
class Result:
    """One program: what both said."""

    where: str
    kind: str
    ebee: str
    kernel: str
    same_message: bool = False
    processed: tuple[int, int] = (0, 0)


def normal(text: str) -> str:
    """A message without addresses."""
    return _NUMBERS.sub("0x", " ".join(text.split()))


def kernel_says(spec: ObjectSpec, name: str) -> tuple[bool | None, str, int]:
    """Whether the kernel accepts a program (None: it did not come to that), its last words, and
    the instructions it processed."""
    spec = spec.copy()
    for each in spec.maps.values():
        if each.type == "prog_array":  # the other programs are not loaded
            each.contents.clear()
    try:
        with load(spec, programs=[name], log_level=4) as made:
            log = made.programs[name].log
            found = _PROCESSED.search(log)
            return True, "", int(found[1]) if found else 0
    except VerifierError as error:
        found = _PROCESSED.search(error.log)
        lines = digest(error.log)
        return False, lines[0] if lines else "", int(found[1]) if found else 0
    except (KernelError, EbeeError) as error:
        if isinstance(error, KernelError) and error.errno == errno.E2BIG:
            return False, str(error).split("\n")[0], 0
        return None, str(error).split("\n")[0], 0


def compare(spec: ObjectSpec, where: str, name: str, profile: Profile) -> Result:
    """One program through both."""
    accepted, words, processed = kernel_says(spec, name)
    signal.alarm(SECONDS)
    try:
        verdict = check(spec, name, profile)
    except ObjectError as error:
        return Result(where, "no oracle", str(error), words)
    except TimeoutError:
        return Result(where, "ebee failed", "took too long", words)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return Result(where, "ebee failed", text, words)
    finally:
        signal.alarm(0)
    return judge(where, verdict, accepted, words, processed)


def judge(
    where: str, verdict: Verdict, accepted: bool | None, words: str, processed: int
) -> Result:
    """How two verdicts compare."""
    said = verdict.message.replace("\n", "; ")
    if accepted is None:
        return Result(where, "no oracle", said, words)
    counts = verdict.processed, processed
    if verdict.outcome == "unknown":
        return Result(where, "does not know", said, words, processed=counts)
    if verdict.accepted:
        kind = "agree: accepted" if accepted else "false accept"
        return Result(where, kind, said, words, processed=counts)
    kind = "false reject" if accepted else "agree: rejected"
    last = normal(verdict.message.split("\n")[-1])
    return Result(where, kind, said, words, last in normal(words), counts)


def results(folder: Path, only: str, profile: Profile) -> Iterator[Result]:
    """All programs of all objects."""
    for path in sorted(folder.glob("*.o")):
        if only not in path.name and "/" not in only:
            continue
        try:
            spec = read(path.read_bytes(), path.stem)
        except EbeeError as error:
            yield Result(path.stem, "no oracle", str(error), "")
            continue
        for name in spec.programs:
            where = f"{path.stem}/{name}"
            if only in where:
                yield compare(spec, where, name, profile)


def report(found: list[Result], wanted: str, seconds: float) -> int:
    """Print the figures; the exit status."""
    kinds = Counter(r.kind for r in found)
    for r in found:
        if r.kind.startswith(wanted) or r.kind in ("false accept", "ebee failed"):
            print(f"{r.kind}: {r.where}\n    ebee:   {r.ebee}\n    kernel: {r.kernel}")
    unknown = Counter(r.ebee for r in found if r.kind == "does not know")
    for what, count in unknown.most_common(25):
        print(f"{count:5} ebee does not know {what}")
    judged = len(found) - kinds["no oracle"]
    for kind in CLASSES:
        print(f"{kind:16} {kinds[kind]:6}")
    rejected = [r for r in found if r.kind == "agree: rejected"]
    same = sum(r.same_message for r in rejected)
    both = [r for r in found if r.kind == "agree: accepted"]
    counts = sum(r.processed[0] == r.processed[1] for r in both)
    agreed = kinds["agree: accepted"] + kinds["agree: rejected"]
    total = sum(r.processed[0] for r in found)
    print(
        f"{judged} judged, {agreed} agree ({agreed / max(judged, 1):.1%}); same final message"
        f" {same} of {len(rejected)}; same count of instructions {counts} of {len(both)};"
        f" {total:,} instructions processed in {seconds:.0f} s"
    )
    return bool(kinds["false accept"])


def _too_long(*_: object) -> None:
    raise TimeoutError


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", metavar="TEXT", help="objects or programs with TEXT")
    parser.add_argument("--kernel", default="6.18", choices=PROFILES)
    parser.add_argument("--list", default="-", metavar="CLASS", help="print all of a class")
    given = parser.parse_args()
    signal.signal(signal.SIGALRM, _too_long)
    start = time.monotonic()
    profile = PROFILES[given.kernel]
    found = list(results(given.folder, given.only, profile))
    return report(found, given.list, time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main())
