"""Compare ebee's verifier with the running kernel's, program by program.

    make corpus                                  (or: python scripts/corpus_verifier.py [options])
    python scripts/corpus_verifier.py FOLDER [--raw FILE] [--only TEXT] [--list CLASS]

FOLDER holds compiled objects (*.o), FILE is what scripts/raw_tests.c wrote of the raw tests;
without them the selftests of a linux-source package are taken, as scripts/corpus.py compiles them.
Every program is loaded (never attached) and checked; printed are, for verifier_*.c, the raw tests
and the others, the counts of each kind of agreement, and the causes of what differs. What the
kernel said is kept in a file beside FOLDER, so that a second run asks it only what is new. Ends
with a status that is not zero when ebee accepts what the kernel rejects. Needs root. With --caps
bpf,net_admin it gives up all other capabilities, and both judge as they do for such a loader; with
--caps none, which takes a kernel whose kernel.unprivileged_bpf_disabled is 0, there are the raw
tests only (types of programs take CAP_BPF to be loaded).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import capabilities
from corpus_raw import Raw, Said, raw_program, raw_says, raw_tests, said, write_raw
from corpus_sources import Corpus

from ebee.btf import Btf
from ebee.errors import EbeeError, KernelError, ObjectError
from ebee.isa import assemble, encode
from ebee.linux.backend import load
from ebee.linux.host import possible_cpus
from ebee.linux.kconfig import values
from ebee.linux.programs import LinuxProgram
from ebee.obj import read
from ebee.obj.spec import ObjectSpec
from ebee.verifier.core.check import Verdict, check, check_program
from ebee.verifier.core.errors import DoesNotKnow, Rejected
from ebee.verifier.core.privileges import ALL, parse
from ebee.verifier.core.profile import PROFILES, Profile

SECONDS = 60
REQUIRED = {"verifier_*.c": 0.92, "verifier/*.c": 0.92, "others": 0.80}
SAME_MESSAGES = 0.75
"""Shares that are asked for."""

CLASSES = (
    "agree: accepted", "agree: rejected", "false accept", "false reject", "does not know",
    "no oracle", "ebee failed",
)  # fmt: skip
_NUMBERS = re.compile(r"0x[0-9a-f]+")
_PROCESSED = re.compile(r"processed (\d+) insns")


@dataclass
class Result:
    """One program: what both said, and how long ebee took."""

    where: str
    group: str
    kind: str
    ebee: str
    kernel: str
    same_message: bool = False
    processed: int = 0
    kernel_processed: int = 0
    seconds: float = 0.0


# -- what the kernel says -------------------------------------------------------------------------


def kernel_says(spec: ObjectSpec, name: str, log_level: int = 4) -> Said:
    """The running kernel's verdict on a program of an object."""
    spec = spec.copy()
    for each in spec.maps.values():
        if each.type == "prog_array":  # the other programs are not loaded
            each.contents.clear()

    def load_it() -> str:
        with load(spec, programs=[name], log_level=log_level) as made:
            return made.programs[name].log

    return said(load_it)


# -- both -----------------------------------------------------------------------------------------


class Cache:
    """What the running kernel said before, by a hash of what it was asked."""

    def __init__(self, file: Path | None, release: str = ""):
        self.file = file
        self.release = release or os.uname().release
        self.known: dict[str, list[object]] = {}
        if file is not None and file.exists():
            self.known = json.loads(file.read_text())

    def get(self, key: str, ask: Callable[[], Said]) -> Said:
        """The answer, asked for if it is new."""
        key = f"{self.release}:{key}"
        if key not in self.known and self.release != os.uname().release:
            return Said(None, f"{self.release} was not asked", 0)
        if key not in self.known:
            self.known[key] = list(ask())
        return Said(*self.known[key])  # type: ignore[arg-type]

    def save(self) -> None:
        if self.file is not None:
            self.file.write_text(json.dumps(self.known))


def normal(text: str) -> str:
    """A message without addresses."""
    return _NUMBERS.sub("0x", " ".join(text.split()))


def judge(where: str, group: str, verdict: Verdict, told: Said, seconds: float = 0.0) -> Result:
    """How two verdicts compare."""
    words = verdict.message.replace("\n", "; ")
    made = Result(where, group, "", words, told.words, False, verdict.processed, told.processed)
    made.seconds = seconds
    if told.accepted is None:
        made.kind = "no oracle"
    elif verdict.outcome == "unknown":
        made.kind = "does not know"
    elif verdict.accepted:
        made.kind = "agree: accepted" if told.accepted else "false accept"
    else:
        made.kind = "false reject" if told.accepted else "agree: rejected"
        last = normal(verdict.message.split("\n")[-1])
        made.same_message = last in normal(told.words)
    return made


def bounded(where: str, group: str, told: Said, ask: Callable[[], Verdict]) -> Result:
    """Ebee's answer within a time, compared."""
    signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)  # of this process's own time
    start = time.process_time()
    try:
        verdict = ask()
    except ObjectError as error:
        return Result(where, group, "no oracle", str(error), told.words)
    except TimeoutError:
        return Result(where, group, "ebee failed", "took too long", told.words)
    except Exception as error:
        import traceback

        last = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
        return Result(where, group, "ebee failed", text, told.words)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return judge(where, group, verdict, told, time.process_time() - start)


def group_of(name: str) -> str:
    """To which of the three parts of the corpus an object belongs."""
    return "verifier_*.c" if name.startswith("verifier_") else "others"


@cache
def locked_down() -> bool:
    """Whether the running kernel is locked down, so that no program may write user memory."""
    code = assemble("r1 = 0\nr2 = r10\nr2 += -8\nr3 = 8\ncall 36\nr0 = 0\nexit")
    try:
        LinuxProgram.load(code, "kprobe").close()
    except KernelError as error:
        return "bpf_probe_write_user" in getattr(error, "log", "")
    return False


class Job(NamedTuple):
    """One file for one process. `ask`: only the kernel; `btf`: a file with its types; `cpus`: the
    processors of its machine; `caps`: what the loader has."""

    file: Path
    raw: bool
    only: str
    version: str
    ask: bool = False
    btf: str = ""
    cpus: int = 0
    caps: str = "all"


@cache
def types(path: str) -> Btf | None:
    """The types of the kernel whose rules are asked for; None: of the running one."""
    return Btf.load(path) if path else None


CACHE: Cache | None = None
"""The parent process's, as it was when the workers were made."""


def _job(job: Job) -> tuple[list[Result], dict[str, list[object]]]:
    assert CACHE is not None
    before = set(CACHE.known)
    walk = _raws if job.raw else _objects
    found = list(walk(job, CACHE))
    return found, {key: value for key, value in CACHE.known.items() if key not in before}


def rules(job: Job) -> Profile:
    """The profile; a kernel that is locked down takes a helper away."""
    locked = not job.btf and locked_down()
    held = parse(job.caps)
    return replace(PROFILES[job.version], lockdown=locked, cpus=job.cpus, privileges=held)


def configuration(spec: ObjectSpec) -> dict[str, bytes]:
    """What the running kernel's configuration gives an object; nothing where it lacks a part."""
    try:
        return values(spec)
    except EbeeError:
        return {}


def _objects(job: Job, cache: Cache) -> Iterator[Result]:
    path, only = job.file, job.only
    group = group_of(path.stem)
    data = path.read_bytes()
    digest = hashlib.sha1(data).hexdigest()[:16]
    try:
        spec = read(data, path.stem)
    except EbeeError as error:
        yield Result(path.stem, group, "no oracle", str(error), "")
        return
    for name in spec.programs:
        where = f"{path.stem}/{name}"
        if only in where:
            told = cache.get(f"{digest}/{name}", partial(kernel_says, spec, name))
            if job.ask:
                yield Result(where, group, "no oracle", "", told.words)
                continue
            config = {} if job.btf else configuration(spec)
            ask = partial(check, spec, name, rules(job), types(job.btf), config=config)
            yield bounded(where, group, told, ask)


def _raws(job: Job, cache: Cache) -> Iterator[Result]:
    profile = rules(job)
    for test in raw_tests(job.file):
        where = f"raw/{test.name}"
        if job.only not in where:
            continue
        key = hashlib.sha1(encode(test.insns)).hexdigest()[:16]
        told = cache.get(f"raw/{key}/{test.name}", partial(raw_says, test))

        def ask(test: Raw = test) -> Verdict:
            try:
                program = raw_program(test, types(job.btf))
            except Rejected as error:
                message, errno = error.message, error.errno
                return Verdict(test.name, profile.version, "rejected", 0, error.id, message,
                               errno=errno)  # fmt: skip
            except DoesNotKnow as unknown:
                return Verdict(test.name, profile.version, "unknown", 0, "unknown", unknown.what)
            return check_program(program, profile)

        if job.ask:
            yield Result(where, "verifier/*.c", "no oracle", "", told.words)
        else:
            yield bounded(where, "verifier/*.c", told, ask)


def results(
    folder: Path,
    raw: Path | None,
    only: str,
    version: str,
    cache: Cache,
    jobs: int,
    ask: bool = False,
    btf: str = "",
    cpus: int = 0,
    caps: str = "all",
) -> Iterator[Result]:
    """All programs of all objects, and the raw tests."""
    global CACHE
    CACHE = cache
    cpus = cpus or possible_cpus()
    object_name, slash, _ = only.partition("/")
    inside = only if slash else ""
    paths = [p for p in sorted(folder.glob("*.o")) if not only or object_name in p.stem]
    if not parse(caps).bpf:
        paths = []
    work = [Job(p, False, inside, version, ask, btf, cpus, caps) for p in paths]
    if raw is not None and (not only or object_name == "raw"):
        work.insert(0, Job(raw, True, inside, version, ask, btf, cpus, caps))
    if jobs == 1:
        for job in work:
            yield from _job(job)[0]
        return
    with Pool(jobs) as pool:
        for found, known in pool.imap_unordered(_job, work):
            cache.known.update(known)
            yield from found


# -- the report -----------------------------------------------------------------------------------


def table(found: list[Result], group: str) -> bool:
    """Print the figures of one part; whether they are what is asked for."""
    mine = [r for r in found if r.group == group]
    if not mine:
        return True
    kinds = Counter(r.kind for r in mine)
    judged = len(mine) - kinds["no oracle"]
    agreed = kinds["agree: accepted"] + kinds["agree: rejected"]
    rejected = [r for r in mine if r.kind == "agree: rejected"]
    same = sum(r.same_message for r in rejected)
    both = [r for r in mine if r.kind == "agree: accepted"]
    counts = sum(r.processed == r.kernel_processed for r in both)
    print(f"{group}: " + ", ".join(f"{kind} {kinds[kind]}" for kind in CLASSES))
    print(
        f"    {judged} judged, {agreed} agree ({agreed / max(judged, 1):.1%}, asked"
        f" {REQUIRED[group]:.0%}), {kinds['does not know'] / max(judged, 1):.1%} not known;"
        f" same final message {same} of {len(rejected)} ({same / max(len(rejected), 1):.1%});"
        f" same count of instructions {counts} of {len(both)}"
    )
    return agreed >= REQUIRED[group] * judged and same >= SAME_MESSAGES * len(rejected)


def _cause(words: str) -> str:
    """The last words without numbers, so that the same ones stand together."""
    return re.sub(r"\d+", "N", normal(words.split("; ")[-1]))[:100]


def report(found: list[Result], wanted: str, seconds: float) -> int:
    """Print the figures; the exit status."""
    for r in found:
        shown = r.kind.startswith(wanted) or r.kind in ("false accept", "ebee failed")
        if wanted == "message":
            shown |= r.kind == "agree: rejected" and not r.same_message
        if wanted == "count":
            shown |= r.kind == "agree: accepted" and r.processed != r.kernel_processed
        if shown:
            print(
                f"{r.kind}: {r.where} ({r.processed}, {r.kernel_processed})\n    ebee:   {r.ebee}"
                f"\n    kernel: {r.kernel}"
            )
    unknown = Counter(r.ebee for r in found if r.kind == "does not know")
    for what, count in unknown.most_common(60):
        print(f"{count:5} ebee does not know {what}")
    refused = [r for r in found if r.kind == "false reject"]
    for what, count in Counter(normal(r.ebee.split("; ")[-1]) for r in refused).most_common(25):
        print(f"{count:5} false reject: {what}")
    words = [r for r in found if r.kind == "agree: rejected" and not r.same_message]
    pairs = Counter((_cause(r.ebee), _cause(r.kernel)) for r in words)
    for (ours, theirs), count in pairs.most_common(40):
        print(f"{count:5} other words: {ours}; the kernel's: {theirs}")
    other = [r for r in found if r.kind == "agree: accepted" and r.processed != r.kernel_processed]
    for r in other:
        print(f"    1 other count: {r.where}: {r.processed:,}, the kernel's {r.kernel_processed:,}")
    fine = False not in [table(found, group) for group in REQUIRED]
    speed = [r for r in found if r.seconds and r.processed]
    for r in sorted(speed, key=lambda r: -r.processed)[:10]:
        print(f"{r.processed:9,} instructions, {r.processed / r.seconds:9,.0f} a second: {r.where}")
    total, spent = sum(r.processed for r in speed), sum(r.seconds for r in speed)
    rate = total / max(spent, 0.01)
    print(
        f"{total:,} instructions in {spent:.0f} s of processor time: {rate:,.0f} a second;"
        f" {seconds:.0f} s in all" + ("" if fine else "; less than what is asked for")
    )
    return bool(sum(r.kind == "false accept" for r in found))


def _too_long(*_: object) -> None:
    raise TimeoutError


def build(folder: Path, jobs: int) -> tuple[Path, Path]:
    """The selftests of the corpus (see corpus.py), compiled where that was not done."""
    corpus = Corpus(folder)
    corpus.prepare()
    with ThreadPoolExecutor(jobs) as pool:
        made = list(pool.map(corpus.object_of, corpus.selftests()))
    return made[0][0].parent, write_raw(corpus)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, nargs="?", help="objects, if not the corpus's")
    parser.add_argument("--corpus", type=Path, default=Path("/var/tmp/ebee-corpus"))
    parser.add_argument("--raw", type=Path, metavar="FILE", help="what raw_tests.c wrote")
    parser.add_argument("--only", default="", metavar="TEXT", help="objects or programs with TEXT")
    parser.add_argument("--kernel", default="6.18", choices=PROFILES)
    parser.add_argument("--list", default="-", metavar="CLASS", help="print all of a class")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result there")
    parser.add_argument("--ask", type=Path, metavar="FILE", help="only keep the kernel's answers")
    parser.add_argument("--said", type=Path, metavar="FILE", help="answers that --ask has kept")
    parser.add_argument("--release", default="", help="whose answers are meant, by uname -r")
    parser.add_argument("--cpus", type=int, default=possible_cpus(), help="of its machine")
    parser.add_argument("--btf", default="", metavar="FILE", help="that kernel's types")
    parser.add_argument("--caps", default="all", help="the loader's capabilities: bpf,net_admin")
    given = parser.parse_args()
    start = time.monotonic()
    if given.folder is None:
        given.folder, given.raw = build(given.corpus, given.jobs)
    name = given.folder.name if given.caps == "all" else f"{given.folder.name}.{given.caps}"
    said = given.ask or given.said or given.folder.parent / f"{name}.said.json"
    cache = Cache(said, given.release)
    args = given.folder, given.raw, given.only, given.kernel, cache, given.jobs
    if parse(given.caps) != ALL and given.said is None:
        locked_down()  # takes a kprobe program to find out
        capabilities.keep(parse(given.caps))
    found = []
    more = bool(given.ask), given.btf, given.cpus, given.caps
    for number, result in enumerate(results(*args, *more)):
        found.append(result)
        if given.ask and number % 100 == 0:
            cache.save()
    cache.save()
    if given.json:
        given.json.write_text(json.dumps([asdict(r) for r in found], indent=1))
    return report(found, given.list, time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main())
