"""Random programs of loaders without capabilities, through ebee's verifier and the kernel's.

    python scripts/fuzz_unprivileged.py [--caps bpf,net_admin] [--kernel 6.18] [--count 1000]
                                        [--seed 1] [--from 0] [--seconds S] [--rejects] [--counts]

The programs of scripts/fuzz_verifier.py, but for what such loaders may never do (reading a stack
that was not written). This process gives up all its capabilities but these, so that the kernel
judges as it does for such loaders. Verdicts, last messages and counts of instructions are compared
(counts have the ways in them that only speculation goes); a false accept is cut down and printed,
and makes the status non-zero. With --caps none it takes a kernel whose
kernel.unprivileged_bpf_disabled is 0 (scripts/vm.py has one); there it loads socket filters and
cgroup_skb programs.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import capabilities
import fuzz_verifier as fuzz
from fuzz_verifier import Both, Generator

from ebee.errors import KernelError, VerifierError
from ebee.isa import Insn, listing
from ebee.linux.programs import LinuxProgram, digest
from ebee.verifier.core.check import Verdict
from ebee.verifier.core.privileges import Privileges, parse
from ebee.verifier.core.profile import PROFILES, Profile

_PROCESSED = re.compile(r"processed (\d+) insns")
_EXIT = 0x95
HOOKS = {"xdp": "xdp", "tc": "sched_cls", "socket_filter": "socket_filter"}
ANYBODY = {"socket_filter": "socket_filter", "cgroup_skb": "cgroup_skb"}


class Careful(Generator):
    """Mostly nothing that a loader without CAP_PERFMON may not do; `alone`: nor one without
    CAP_BPF."""

    def __init__(self, rng: random.Random, hook: str, fds: Sequence[int], alone: bool):
        packets = hook if hook in HOOKS else "socket_filter"
        super().__init__(rng, packets, fds)
        self.alone = alone

    def fragment(self, which: Callable[[Generator], None]) -> None:
        if len(self.code) == 1 or (self.code[-1].op == _EXIT and 6 not in self.guess):
            self.write_stack()  # a function begins
        rare = self.rng.random() < 0.02
        if which is Generator.variable_stack and not rare:
            self.known_stack()
            return
        if self.alone and which in (Generator.loop, Generator.subprogram) and not rare:
            which = Generator.branch
        which(self)

    def write_stack(self) -> None:
        """What was never written may not be read."""
        for off in range(8, 49, 8) if self.rng.random() < 0.95 else ():
            self.emit("store64_imm", 10, off=-off, imm=self.rng.choice((0, 0, 1)))

    def known_stack(self) -> None:
        """A pointer to the stack that a register with a constant moves."""
        rng = self.rng
        base, index = rng.sample((7, 8, 9), 2)
        self.move(base, 10)
        self.emit("mov64_imm", index, imm=-8 * rng.randrange(1, 7))
        self.emit("add64_reg", base, index)
        self.guess[base], self.guess[index] = "other", "scalar"
        if rng.random() < 0.5:
            self.emit("store64_reg", base, self.any("scalar"), 0)
        else:
            dst = self.target()
            self.emit("load_u64", dst, base, 0)
            self.guess[dst] = "other"


class Unprivileged(Both):
    """Both verifiers, of which the kernel's knows no more of this process than is `held`."""

    def __init__(self, held: Privileges, version: str) -> None:
        super().__init__()
        self.held, self.processed = held, 0
        base = replace(PROFILES[version], cpus=fuzz.PROFILE.cpus, privileges=held)
        self.quick = replace(base, max_processed=fuzz.PROFILE.max_processed)
        self.types = HOOKS if held.bpf else ANYBODY
        capabilities.keep(held)

    def kernel(self, code: list[Insn], hook: str) -> tuple[bool, str]:
        log, accepted, words = "", True, ""
        try:
            with LinuxProgram.load(code, self.types[hook], log_level=4) as made:
                log = made.log
        except VerifierError as error:
            log, accepted, words = error.log, False, "; ".join(digest(error.log)[:1])
        except KernelError as error:
            accepted, words = False, str(error).split("\n")[0]
        found = _PROCESSED.search(log)
        self.processed = int(found[1]) if found else 0
        return accepted, words

    def ebee(self, code: list[Insn], hook: str, profile: Profile | None = None) -> Verdict:
        return super().ebee(code, hook, profile or self.quick)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--caps", default="bpf,net_admin", help="capabilities to keep")
    parser.add_argument("--kernel", default="6.18", choices=PROFILES)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first number")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--show", type=int, default=3, help="differences to print")
    parser.add_argument("--rejects", action="store_true", help="print false rejects as well")
    parser.add_argument("--counts", action="store_true", help="print other counts as well")
    given = parser.parse_args()
    both = Unprivileged(parse(given.caps), given.kernel)
    kinds, messages, shown = Counter[str](), Counter[str](), 0
    start, done = time.monotonic(), 0
    for number in range(given.first, given.first + given.count):
        if time.monotonic() - start > given.seconds:
            break
        done += 1
        rng = random.Random(f"{given.seed}/{number}")
        hook = rng.choice(list(both.types))
        code = Careful(rng, hook, both.fds, not both.held.bpf).make()
        verdict = both.ebee(code, hook)
        if verdict.id == "too-complex":
            kinds["too long"] += 1
            continue
        accepted, words = both.kernel(code, hook)
        kind = fuzz._kind(verdict, accepted)
        kinds[kind] += 1
        other = verdict.accepted and accepted and verdict.processed != both.processed
        kinds["other count"] += other
        if kind == "agree: rejected":
            if verdict.message.split("\n")[-1] in words:
                kinds["same final message"] += 1
            else:
                messages[f"{verdict.message!r} / {words!r}"] += 1
        wanted = kind == "false accept" or (kind == "false reject" and given.rejects)
        if (wanted or (other and given.counts)) and shown < given.show:
            shown += 1
            if kind == "false accept":
                code = both.cut(code, hook)
                words = both.kernel(code, hook)[1]
            print(f"{kind}: {number}, {hook}: {verdict}\n  kernel: {words}, {both.processed}")
            print(listing(code))
    for text, count in messages.most_common(8):
        print(f"{count:5} {text}")
    for kind, count in sorted(kinds.items()):
        print(f"{kind:20} {count:7}")
    print(f"{done:,} programs in {time.monotonic() - start:.0f} s")
    return bool(kinds["false accept"])


if __name__ == "__main__":
    sys.exit(main())
