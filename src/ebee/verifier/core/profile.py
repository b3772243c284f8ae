"""Linux versions: what differs in the verifier from one to the next, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ebee.errors import ConfigError
from ebee.verifier.core import reg as R
from ebee.verifier.core import tnum
from ebee.verifier.core.privileges import ALL, Privileges

NR_CPUS = 8192
"""The largest CONFIG_NR_CPUS."""

NEVER_NULL = frozenset((R.SOCKET, R.TCP_SOCK, R.MAP_VALUE, R.MAP_KEY, R.SOCK_COMMON))
"""Types of pointers of which a comparison with null is decided."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of one Linux version, x86-64. In brackets: since when, or until when, they hold;
    (7.0): since then, and in 6.18.44 (see `NEWEST`).

    negation            ranges are followed through `neg` (6.17)
    wide_mul            products of tnums keep values and uncertainty apart (until 6.17)
    old_ranges          additions that always wrap, and products of negative numbers, are unknown
                        (until 6.16)
    constant_keys       looking up a constant index of an array gives no null (6.14)
    single_values       where tnum and unsigned range have one number in common, it is known (7.0)
    byte_swaps          what is known of bits is known of swapped ones (7.0)
    tail_calls_keep     a tail call leaves the packet alone where the program goes on (7.0)
    tail_calls_return   in a function a tail call returns to the caller (6.18)
    live_links          what shares an id learns only if it is read again (7.0)
    free_ids            states agree also where a scalar was alone with its number, and another is
                        not (7.0)
    common_helpers      all hooks have the helpers of tasks (6.16)
    packets_read_all    no register is dead before a load from the packet (6.16)
    globals_in_regions  global functions may be called where preemption is off (6.14)
    private_stacks      large frames of some programs have stacks of their own (6.13)
    never_null          pointers of these types are not null; to maps: since 6.16 and 6.12.117
    indirect            messages call what helpers do to the stack indirect (until 6.13)
    max_processed       instructions to walk at the most
    cpus                processors that the machine may have (what holds for the most of them holds
                        for every machine)
    strict_alignment    accesses are aligned, as on machines that cannot do others
    lockdown            the kernel is locked down (integrity), which takes a helper away
    barriers            what only speculation makes unsafe gets a barrier (6.17)
    privileges          the capabilities of the loader
    """

    version: str
    negation: bool = True
    wide_mul: bool = False
    old_ranges: bool = False
    constant_keys: bool = True
    single_values: bool = True
    byte_swaps: bool = True
    tail_calls_keep: bool = True
    tail_calls_return: bool = True
    live_links: bool = True
    free_ids: bool = True
    common_helpers: bool = True
    packets_read_all: bool = True
    globals_in_regions: bool = True
    private_stacks: bool = True
    never_null: frozenset[int] = NEVER_NULL | {R.MAP}
    indirect: bool = False
    max_processed: int = 1_000_000
    cpus: int = NR_CPUS
    strict_alignment: bool = False
    lockdown: bool = False
    barriers: bool = True
    privileges: Privileges = ALL

    def mul(self, av: int, am: int, bv: int, bm: int) -> tnum.Tnum:
        """The product of two tnums."""
        return (tnum.mul_wide if self.wide_mul else tnum.mul)(av, am, bv, bm)


PROFILES = {
    "6.18": Profile("6.18"),
    "6.12": Profile(
        "6.12",
        negation=False,
        wide_mul=True,
        old_ranges=True,
        constant_keys=False,
        single_values=False,
        byte_swaps=False,
        tail_calls_keep=False,
        tail_calls_return=False,
        live_links=False,
        free_ids=False,
        common_helpers=False,
        packets_read_all=False,
        globals_in_regions=False,
        private_stacks=False,
        indirect=True,
        barriers=False,
    ),
}


NEWEST = {"6.12": 117, "6.18": 44}
"""Stable levels that are known to have what came later than the version; of earlier ones it is not
known, and what is more than the version had is not taken."""


def profile(version: str) -> Profile:
    """The profile of a version: "6.18", which is the newest level of it that is known, or a level
    ("6.18.3"), whose rules are those that it is known to have. ConfigError when there is none."""
    parts = version.split(".")
    found = PROFILES.get(".".join(parts[:2]))
    if found is None or len(parts) > 3 or not all(p.isdecimal() for p in parts):
        raise ConfigError(f"no profile of Linux {version}; there are: {', '.join(PROFILES)}")
    if len(parts) == 2:
        return found
    if int(parts[2]) >= NEWEST.get(found.version, 0):
        return found
    return replace(
        found, single_values=False, byte_swaps=False, tail_calls_keep=False, live_links=False,
        free_ids=False, never_null=NEVER_NULL if found.version == "6.12" else found.never_null,
    )  # fmt: skip
