"""Compare ebee with libbpf on programs written by others: what opens, what loads on this kernel.

    make corpus                                  (or: python scripts/corpus.py [options])

Unpacks tools/ of Debian's linux-source package into a scratch folder, builds its libbpf and
compiles its BPF selftests with clang and, where there is one, with gcc for BPF; folders of other
projects (libbpf-bootstrap's examples/c, bcc's libbpf-tools, cilium/ebpf, Aya) are taken as well
where they are given. Then every object is opened, and every program loaded (never attached) by
both, each object in a process of its own with bounded time and memory. Results are kept in the
folder: a run goes on where the last one ended. Nothing of it belongs into the repository.

Prints both counts side by side, each difference with its cause, and of the programs that both load
those that the kernel was not asked for with the same instructions and attributes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import struct
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from corpus_loaders import LOADERS, ROOT, Outcome
from corpus_sources import GCC, SECONDS, Corpus, Item

WORKER = Path(__file__).with_name("corpus_loaders.py")
Found = dict[str, Outcome]


def results(corpus: Corpus, loader: str, item: Item, path: Path) -> Found:
    """What a loader makes of an object, kept from an earlier run where there is one."""
    kept = corpus.folder / "results" / item.group / f"{item.name}.{loader}.json"
    if kept.exists() and kept.stat().st_mtime >= path.stat().st_mtime:
        return dict(json.loads(kept.read_text()))
    command = [sys.executable, str(WORKER), loader, str(path), str(corpus.libbpf)]
    environment = {**os.environ, "LD_PRELOAD": str(corpus.recorder)}
    ended = ""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment
        )
        output = done.stdout
        if done.returncode:
            last = (done.stderr.strip().splitlines() or [""])[-1]
            ended = f"the process ended with {done.returncode}: {last}"
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode()
        ended = f"not done within {SECONDS} s"
    found: Found = dict(json.loads(line) for line in output.splitlines() if line.endswith("]"))
    if ended:
        found["" if not found else "(rest)"] = {"error": ended}
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(found))
    return found


# -- the report -----------------------------------------------------------------------------------


class Report:
    """Counts and differences, as results come in."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.worse: list[str] = []
        self.unequal: list[str] = []
        self.refused: list[str] = []
        self.better = Counter[str]()
        self.equal = self.typed = self.doubled = 0

    def add(self, item: Item, found: dict[str, Found]) -> None:
        """Take the results of one object."""
        counts = self.counts.setdefault(item.group, Counter())
        for loader in LOADERS:
            for program, result in found[loader].items():
                what = "programs" if program else "objects"
                counts[f"{loader} {what}"] += "error" not in result
                counts[f"{what}"] += loader == "ebee"
        if "error" in found["ebee"][""]:
            self.refused.append(f"{item.key}: {short(found['ebee'][''])}")
        for program in {**found["libbpf"], **found["ebee"]}:
            theirs, mine = (of(found[loader], program) for loader in ("libbpf", "ebee"))
            label = f"{item.key} {program}".rstrip()
            if "error" in mine and "error" not in theirs:
                self.worse.append(f"{label}: {short(mine)}")
            elif "error" in theirs and "error" not in mine:
                self.better[short(theirs)] += 1
            elif "error" not in mine and program:
                if not theirs["functions"]:  # the kernel has refused its BTF
                    self.typed += bool(mine["functions"])
                    mine = {**mine, "functions": []}
                unlike = difference(mine, theirs)
                self.equal += not unlike
                if unlike and item.group == GCC and added_twice(mine, theirs):
                    self.doubled += 1
                elif unlike:
                    self.unequal.append(f"{label}: {unlike}")

    def print(self, uncompiled: dict[str, str], left: list[str]) -> None:
        """All of it, the totals last."""
        for line in self.worse:
            print(f"  libbpf does, ebee does not: {line}")
        for text, count in self.better.most_common():
            print(f"  ebee does, libbpf does not ({count}): {text}")
        for line in self.unequal:
            print(f"  not the same: {line}")
        for line in self.refused:
            print(f"  not opened by ebee: {line}")
        beyond_gcc = sum(name.startswith(f"{GCC}/") for name in uncompiled)
        if beyond_gcc:
            print(f"  does not compile here: {beyond_gcc} sources with gcc")
        uncompiled = {n: t for n, t in uncompiled.items() if not n.startswith(f"{GCC}/")}
        for name, text in uncompiled.items():
            print(f"  does not compile here: {name}: {re.sub(r'/[^ ]*/', '', text)[:160]}")
        for text in left:
            print(f"  left out: {text}")
        print(f"{'':36}{'ebee':>8}{'libbpf':>8}{'of':>8}")
        for group, counts in self.counts.items():
            for what, label in (("objects", "objects opened"), ("programs", "programs loaded")):
                mine, theirs = (counts[f"{loader} {what}"] for loader in ("ebee", "libbpf"))
                print(f"{group[:18]:19}{label:17}{mine:>8}{theirs:>8}{counts[what]:>8}")
        both = self.equal + self.doubled + len(self.unequal)
        print(f"instructions and attributes are equal in {self.equal} of {both} programs"
              f" ({self.typed} have BTF only with ebee: the kernel refuses it as it is, and libbpf"
              " goes without)")  # fmt: skip
        if self.doubled:
            print(f"in {self.doubled} programs of gcc libbpf adds a variable's place twice: gcc 12"
                  " leaves it in the instruction, as well as in the symbol")  # fmt: skip
        print(f"{len(self.worse)} differences to explain, {len(uncompiled)} sources do not compile")


def of(found: Found, program: str) -> Outcome:
    """The outcome of a program, also where the object, or the process, came to nothing."""
    return found.get(program) or found.get("(rest)") or (found[""] if "error" in found[""] else
        {} if program in found else {"error": "no such program"})  # fmt: skip


def difference(mine: Outcome, theirs: Outcome) -> str:
    """What is not the same in what the kernel was asked for; "" when all is."""
    for part in theirs:
        if part != "code" and mine.get(part) != theirs[part]:
            return f"{part} {brief(mine.get(part))} instead of {brief(theirs[part])}"
    one, other = (bytes.fromhex(found["code"]) for found in (mine, theirs))
    for at in range(0, max(len(one), len(other)), 8):
        if one[at : at + 8] != other[at : at + 8]:
            pair = f"{one[at : at + 8].hex()} instead of {other[at : at + 8].hex()}"
            return f"instruction {at // 8} is {pair}"
    return ""


def added_twice(mine: Outcome, theirs: Outcome) -> bool:
    """Whether nothing differs but numbers that are twice as large with libbpf."""
    codes = [bytes.fromhex(found["code"]) for found in (mine, theirs)]
    pairs = zip(*([*struct.iter_unpack("<Ii", code)] for code in codes), strict=False)
    numbers = [(one[1], two[1]) for one, two in pairs if one != two]
    return len(codes[0]) == len(codes[1]) and all(two == 2 * one for one, two in numbers)


def brief(value: Any) -> str:
    """A value in few words."""
    return str(value) if len(str(value)) < 200 else f"{str(value)[:200]}..."


def short(result: Outcome) -> str:
    """The useful part of a message."""
    lines = result["error"].strip().splitlines() or [""]
    text = re.sub(r"/\S*/| in \S+\.(?=$| )", "", " | ".join(lines[:2]))
    return text[:300]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/ebee-corpus"))
    parser.add_argument("--also", type=Path, action="append", metavar="FOLDER",
                        help="sources or objects of others (also: EBEE_CORPORA=A:B)")  # fmt: skip
    parser.add_argument(
        "--types", type=Path, metavar="BTF",
        help="Linux 6.12's, for what does not compile with this kernel's",
    )  # fmt: skip
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names of tests")
    parser.add_argument("--minutes", type=float, default=60, help="time until the rest is left")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--again", choices=(*LOADERS, "all"), help="forget its results first")
    parser.add_argument("--compile-only", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "src"))
    corpus, end = Corpus(options.folder, options.types), time.monotonic() + options.minutes * 60
    corpus.prepare()
    given = filter(None, os.environ.get("EBEE_CORPORA", "").split(os.pathsep))
    more = options.also or [Path(name) for name in given]
    items = corpus.items(more, options.only)
    again = LOADERS if options.again == "all" else (options.again,)
    for item in items if options.again else ():
        for loader in again:
            kept = corpus.folder / "results" / item.group / f"{item.name}.{loader}.json"
            kept.unlink(missing_ok=True)
    uncompiled: dict[str, str] = {}
    found: dict[str, dict[str, Found]] = {}

    def one(item: Item) -> None:
        if time.monotonic() > end:
            return
        path, problem = corpus.object_of(item)
        if problem:
            uncompiled[item.key] = problem
        elif not options.compile_only:
            found[item.key] = {loader: results(corpus, loader, item, path) for loader in LOADERS}

    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(one, items))
    report = Report()
    for item in items:
        if item.key in found:
            report.add(item, found[item.key])
    left = [] if more else ["folders of other projects (--also, EBEE_CORPORA): none was given"]
    rest = len(items) - len(uncompiled) - len(found)
    left += [f"{rest} items, for the next run"] if rest and not options.compile_only else []
    report.print(dict(sorted(uncompiled.items())), left)
    return 1 if report.worse else 0


if __name__ == "__main__":
    sys.exit(main())
