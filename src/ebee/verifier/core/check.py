"""The entry: a program of an object, and Linux's verdict on it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EINVAL
from typing import Literal

from ebee.btf import Btf
from ebee.isa.disasm import text_of
from ebee.obj.spec import Line, ObjectSpec, ProgramSpec
from ebee.verifier.core.advice import ADVICE
from ebee.verifier.core.errors import DoesNotKnow, Rejected
from ebee.verifier.core.explain import Explanation, explain
from ebee.verifier.core.privileges import check_load
from ebee.verifier.core.profile import PROFILES, Profile
from ebee.verifier.core.program import Program, from_spec
from ebee.verifier.core.walk import Walk
from ebee.verifier.facts import Facts

Outcome = Literal["accepted", "rejected", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Linux says of a program.

    outcome     "accepted", "rejected", or "unknown": ebee does not know a rule that it needs, and
                so does not accept
    id          stable name of the error ("out-of-bounds"); "" when accepted
    message     the kernel's own last words, in more than one line where it has more
    detail      the inequality that does not hold, in numbers
    slot        the instruction, -1 where it is not one; `instruction` its text; `line` its source
    processed   instructions walked
    errno       what BPF_PROG_LOAD would fail with
    states      states that were remembered
    log         the log in the kernel's format, where one was asked for
    why         the way to the error and what became of its register, where it is at an instruction
    facts       what holds in every run, where it was accepted and they were asked for
    """

    program: str
    kernel: str
    outcome: Outcome
    processed: int
    id: str = ""
    message: str = ""
    detail: str = ""
    slot: int = -1
    instruction: str = ""
    line: Line | None = None
    errno: int = 0
    states: int = 0
    log: str = ""
    why: Explanation | None = None
    facts: Facts | None = None

    @property
    def accepted(self) -> bool:
        return self.outcome == "accepted"

    @property
    def advice(self) -> str:
        """What to do about the error, in one line; "" where nothing general can be said."""
        return ADVICE.get(self.id, "")

    def __str__(self) -> str:
        """One line: what is wrong, with which numbers, and where."""
        if self.accepted:
            return f"{self.program}: accepted, {self.processed:,} instructions processed"
        said = self.message.replace("\n", "; ")
        if self.outcome == "unknown":
            return f"{self.program}: not accepted: ebee does not know {said}{self._place()}"
        why = f" ({self.detail})" if self.detail else ""
        return f"{self.program}: rejected: {said}{why}{self._place()} [{self.id}]"

    def _place(self) -> str:
        if self.line is not None:
            return f", at {self.line.file}:{self.line.line}: {self.line.text.strip()}"
        return f", at instruction {self.slot}: {self.instruction}" if self.instruction else ""


def check(
    spec: ObjectSpec,
    program: ProgramSpec | str,
    profile: Profile | None = None,
    kernel: Btf | None = None,
    log_level: int = 0,
    facts: bool = False,
    config: Mapping[str, bytes] | None = None,
) -> Verdict:
    """Check a program of an object. `kernel`: the BTF of the kernel whose answer is wanted, if that
    is not the running one; `config`: what all variables of its configuration (`__kconfig`) hold,
    which else may be anything. ObjectError when the program names something that is not there."""
    profile = profile or PROFILES["6.18"]
    found = spec.program(program) if isinstance(program, str) else program
    try:
        made = from_spec(spec, found, kernel, config)
    except DoesNotKnow as unknown:
        return Verdict(found.name, profile.version, "unknown", 0, "unknown", unknown.what)
    except Rejected as error:
        return Verdict(
            found.name, profile.version, "rejected", 0, error.id, error.message, error.detail,
            errno=error.errno,
        )  # fmt: skip
    return check_program(made, profile, log_level, facts)


def check_program(
    program: Program, profile: Profile, log_level: int = 0, facts: bool = False
) -> Verdict:
    """Check a program that is linked already. `log_level` 1: the verdict has a log of the path that
    failed, 2: of every path. `facts`: an accepted program's verdict has its facts."""
    walk: Walk | None = None
    outcome: Outcome = "accepted"
    id = message = detail = ""
    errno = 0
    why: Explanation | None = None
    try:
        _check_age(program, profile)
        check_load(program, profile.privileges)
        walk = Walk(program, profile, log_level, facts)
        with _no_collection():
            walk.run()
    except Rejected as error:
        outcome, id, message = "rejected", error.id, error.message
        detail, errno = error.detail, error.errno
        if walk is not None and walk.processed:
            why = explain(walk, error)
    except DoesNotKnow as error:
        outcome, id, message = "unknown", "unknown", error.what
    walked = walk is not None and walk.processed > 0 and outcome != "accepted"
    slot = walk.idx if walk is not None and walked else -1
    return Verdict(
        program.name, profile.version, outcome, walk.processed if walk else 0, id, message, detail,
        slot, _text(program, slot), line_at(program, slot), errno,
        walk.memory.total if walk else 0, _log(walk, message, log_level, profile.max_processed),
        why,
        walk.observer.facts() if walk and walk.observer and outcome == "accepted" else None,
    )  # fmt: skip


@contextmanager
def _no_collection() -> Iterator[None]:
    """A walk makes many objects that stay, and no circles of them: looking for such garbage among
    them would take a fifth of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _check_age(program: Program, profile: Profile) -> None:
    """A version refuses the hooks of later ones before it looks at a program, and says nothing."""
    hook = program.hook
    if _version(hook.since) > _version(profile.version):
        text = f"{hook.name} requires Linux >= {hook.since}"
        raise Rejected("hook-too-new", text, f"this is {profile.version}", EINVAL)


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _log(walk: Walk | None, message: str, level: int, limit: int) -> str:
    if walk is None and level:  # what is wrong is so before anything is walked
        totals = "max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0"
        return f"{message}\nprocessed 0 insns (limit {limit}) {totals}\n"
    if walk is None or walk.log is None:
        return ""
    walk.log.end(walk, message)
    return walk.log.text


def _text(program: Program, slot: int) -> str:
    if not 0 <= slot < len(program.insns):
        return ""
    following = program.insns[slot + 1] if slot + 1 < len(program.insns) else None
    return text_of(program.insns[slot], following, slot)


def line_at(program: Program, slot: int) -> Line | None:
    """The source line that an instruction was made from."""
    found = None
    for line in program.lines:
        if line.slot > slot:
            break
        found = line
    return found if slot >= 0 else None
