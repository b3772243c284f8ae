"""Interpreter and JIT agree about calls of which little is known before they happen: callbacks and
helpers by numbers in registers, walks through any map, spin locks, dynptrs, legacy packet loads."""

from array import array

import pytest

from ebee import helpers
from ebee.btf import BtfBuilder, Int, Member, Struct
from ebee.isa import assemble, parse
from ebee.machine import bare
from ebee.machine.jit.batch import PacketBatch
from ebee.machine.machine import Machine
from ebee.machine.vm import ProgramFault
from ebee.obj.spec import FunctionSpec, MapSpec, ObjectSpec, ProgramSpec, Ref

pytestmark = pytest.mark.differential

NUMBERS = {h.name: h.id for h in helpers.all_helpers()}
CHECKED = [(tier, False) for tier in ("quick", "optimised")]
WAYS = [*CHECKED, ("quick", True), ("optimised", True)]
PACKETS = [bytes([n, 7, n ^ 3]) + bytes(61) for n in range(6)]


def locked():
    """BTF of a value with a number, a spin lock at 4, and a number at 8."""
    b = BtfBuilder()
    u32, u64 = b.add(Int("u32", 4)), b.add(Int("u64", 8))
    lock = b.add(Struct("bpf_spin_lock", 4, (Member("val", u32, 0),)))
    members = Member("a", u32, 0), Member("lock", lock, 32), Member("n", u64, 64)
    value = b.add(Struct("value", 16, members))
    return b.build(), value


def maps_of():
    btf, value = locked()
    inner = MapSpec("inner", "hash", 8, 8, 8)
    return btf, {
        "numbers": MapSpec("numbers", "array", 4, 8, 4),
        "table": MapSpec("table", "hash", 8, 8, 8),
        "long": MapSpec("long", "hash", 2000, 8, 4),
        "locks": MapSpec("locks", "array", 4, 16, 2, value_btf_id=value),
        "line": MapSpec("line", "queue", 0, 8, 4),
        "ring": MapSpec("ring", "ringbuf", 0, 0, 4096),
        "inner": inner,
        "maps": MapSpec("maps", "array_of_maps", 4, 4, 2, inner=inner, contents={0: "inner"}),
    }


def spec_of(text):
    """A program, and behind labels like `f: func:` its functions."""
    btf, maps = maps_of()
    parts, name = {"p": ""}, "p"
    for statement in text.replace("\n", ";").split(";"):
        label, colon, rest = statement.strip().partition(": func:")
        if colon:
            name, statement = label, rest
            parts[name] = ""
        parts[name] += statement + "\n"
    functions = {}
    for name, body in parts.items():
        made = parse(body.replace("func[", "subprog["), helper_id=NUMBERS.get)
        refs = [Ref(r.slot, r.kind, r.symbol, r.addend) for r in made.references]
        functions[name] = FunctionSpec(name, ".text", made.insns, refs, linkage="static")
    main = functions.pop("p")
    program = ProgramSpec("p", "xdp", main.insns, main.refs, hook="xdp")
    return ObjectSpec("calls", maps, {"p": program}, functions, btf=btf, license="GPL")


def load(machine, text):
    made = machine.load(spec_of(text))
    for i in range(3):
        made.raw_maps["numbers"].update(i.to_bytes(4, "little"), (10 + i).to_bytes(8, "little"))
        for name in ("table", "inner"):
            made.raw_maps[name].update((100 + i).to_bytes(8, "little"), bytes([i + 1]) * 8)
        made.raw_maps["long"].update(bytes([i]) * 2000, bytes([i + 4]) * 8)
    return made


def contents(made):
    return {n: sorted(made.raw_maps[n].items()) for n in ("numbers", "table", "long", "locks",
                                                          "inner")}  # fmt: skip


def interpreted(text):
    """What each packet comes to, or why the program ended; and the maps."""
    with Machine(seed=1, clock=5) as machine:
        made = load(machine, text)
        found = []
        for data in PACKETS:
            try:
                result = made.programs["p"].test_run(data)
            except ProgramFault as fault:
                return [*found, fault.slot], contents(made)
            found.append((result.retval, result.data))
        return found, contents(made)


def compiled(text, tier, trusted):
    with Machine(seed=1, clock=5) as machine:
        made = load(machine, text)
        offsets, lengths = array("Q", range(0, 64 * 6, 64)), array("I", [64] * 6)
        batch = PacketBatch(b"".join(PACKETS), offsets, lengths, array("Q", bytes(48)), keep=True,
                            follow_stamps=False)  # fmt: skip
        try:
            while made.programs["p"].run_batch(batch, tier, trusted):
                pass
        except ProgramFault as fault:
            end = [fault.slot]
        else:
            end = []
        done = [(batch.verdicts[i], bytes(batch.packet(i))) for i in range(batch.done)]
        return done + end, contents(made)


FIRST = (
    "r6 = r1; r7 = *(u32 *)(r6 +0); r8 = *(u32 *)(r6 +4); r0 = r7; r0 += 4; if r0 > r8 goto out\n"
)
FIRST += "r9 = *(u8 *)(r7 +0)\n"
CHOICE = FIRST + "r2 = func[f]; if r9 & 1 goto +2; r2 = func[g]\n"
ENDS = "\nout: r0 = 1; exit\n"
SUM = "r3 = *(u64 *)(r{context} +0); r3 += r{what}; *(u64 *)(r{context} +0) = r3; "
F = "f: func: " + SUM + "r0 = 0; exit\n"
G = "g: func: " + SUM + "r0 = 0; if r3 s< 22 goto +1; r0 = 1; exit\n"

GOES = {
    "a loop of a function that is chosen": CHOICE + """
        *(u64 *)(r10 -8) = 0; r3 = r10; r3 += -8; r1 = 9; r4 = 0; call loop
        r1 = *(u64 *)(r10 -8); r0 <<= 8; r0 += r1; exit""" + ENDS
        + F.format(context=2, what=1) + G.format(context=2, what=1),
    "a loop that is not begun asks nothing": FIRST + """
        r2 = 77; r3 = 0; r1 = 0; r4 = 0; call loop; r0 += 5; exit""" + ENDS,
    "flags come before functions": FIRST + """
        r2 = 77; r3 = 0; r1 = 1; r4 = 1; call loop; exit""" + ENDS,
    "a walk with a function that is chosen": CHOICE + """
        *(u64 *)(r10 -8) = 0; r3 = r10; r3 += -8; r1 = map[numbers]; r4 = 0; call for_each_map_elem
        r1 = *(u64 *)(r10 -8); r0 <<= 8; r0 += r1; exit""" + ENDS
        + F.format(context=4, what=2).replace("r3 = ", "r2 = *(u32 *)(r2 +0); r3 = ", 1)
        + G.format(context=4, what=2).replace("r3 = ", "r2 = *(u64 *)(r3 +0); r3 = ", 1),
    "a walk through a map that is chosen": FIRST + """
        r1 = map[numbers]; if r9 & 1 goto +2; r1 = map[table]
        *(u64 *)(r10 -8) = 0; r3 = r10; r3 += -8; r2 = func[f]; r4 = 0; call for_each_map_elem
        r1 = *(u64 *)(r10 -8); r0 += r1; exit""" + ENDS
        + F.format(context=4, what=2).replace("r3 = ", "r2 = *(u64 *)(r3 +0); r3 = ", 1),
    "a walk through an inner map": FIRST + """
        *(u32 *)(r10 -4) = 0; r2 = r10; r2 += -4; r1 = map[maps]; call map_lookup_elem
        if r0 == 0 goto out; r1 = r0
        *(u64 *)(r10 -16) = 0; r3 = r10; r3 += -16; r2 = func[f]; r4 = 0; call for_each_map_elem
        r1 = *(u64 *)(r10 -16); r0 += r1; exit""" + ENDS
        + F.format(context=4, what=2).replace("r3 = ", "r2 = *(u64 *)(r2 +0); r3 = ", 1),
    "a walk with long keys": FIRST + """
        *(u64 *)(r10 -8) = 0; r3 = r10; r3 += -8; r1 = map[long]; r2 = func[f]; r4 = 0
        call for_each_map_elem; r1 = *(u64 *)(r10 -8); r0 += r1; exit""" + ENDS
        + F.format(context=4, what=2).replace("r3 = ", "r2 = *(u64 *)(r2 +1992); r3 = ", 1),
    "counting under a lock": FIRST + """
        r9 &= 1; *(u32 *)(r10 -4) = r9; r2 = r10; r2 += -4; r1 = map[locks]; call map_lookup_elem
        if r0 == 0 goto out; r6 = r0; r1 = r6; r1 += 4; call spin_lock
        r2 = *(u64 *)(r6 +8); r2 += 3; *(u64 *)(r6 +8) = r2; *(u32 *)(r6 +0) = 6
        r1 = r6; r1 += 4; call spin_unlock; r0 = *(u64 *)(r6 +8); exit""" + ENDS,
    "a lock taken in one function and given back in another": FIRST + """
        *(u32 *)(r10 -4) = 0; r2 = r10; r2 += -4; r1 = map[locks]; call map_lookup_elem
        if r0 == 0 goto out; r6 = r0; r1 = r6; r1 += 4; call spin_lock; r1 = r6; call f; r0 = 3
        exit""" + ENDS + "f: func: r1 += 4; call spin_unlock; r0 = 0; exit",
    "a dynptr over a value": FIRST + """
        *(u32 *)(r10 -4) = 1; r2 = r10; r2 += -4; r1 = map[numbers]; call map_lookup_elem
        if r0 == 0 goto out; r6 = r0; r1 = r6; r2 = 8; r3 = 0; r4 = r10; r4 += -24
        call dynptr_from_mem; *(u64 *)(r10 -32) = r9; r1 = r10; r1 += -24; r2 = 4; r3 = r10
        r3 += -32; r4 = 4; r5 = 0; call dynptr_write; r7 = r0
        r1 = r10; r1 += -40; r2 = 8; r3 = r10; r3 += -24; r4 = 0; r5 = 0; call dynptr_read
        r0 = *(u64 *)(r10 -40); r0 ^= r7; r1 = r10; r1 += -24; r2 = r9; r3 = 8; call dynptr_data
        if r0 == 0 goto out; r0 = *(u64 *)(r0 +0); exit""" + ENDS,
    "a record through a dynptr": FIRST + """
        r1 = map[ring]; r2 = r9; r3 = 0; r4 = r10; r4 += -16; call ringbuf_reserve_dynptr; r7 = r0
        r1 = r10; r1 += -16; r2 = 0; r3 = r10; r3 += -16; r4 = 2; r5 = 0; call dynptr_write
        r8 = r0; r1 = r10; r1 += -16; r2 = 0; if r9 & 1 goto +2; call ringbuf_submit_dynptr; goto +1
        call ringbuf_discard_dynptr; r0 = r7; r0 <<= 8; r0 += r8; exit""" + ENDS,
}  # fmt: skip

LOOKED_UP = """
    *(u32 *)(r10 -4) = 0; r2 = r10; r2 += -4; r1 = map[locks]; call map_lookup_elem
    if r0 == 0 goto out; r6 = r0
"""
FAULTS = {
    "a loop of what is no function": "r2 = 77; r3 = 0; r1 = 1; r4 = 0; call loop; exit",
    "a walk of what is no function, through nothing": """
        r1 = map[inner]; r2 = 77; r3 = 0; r4 = 0; call for_each_map_elem; exit""",
    "a walk through what cannot be walked through": FIRST + """
        r1 = map[line]; if r9 & 1 goto +2; r1 = map[table]; r2 = func[f]; r3 = 0; r4 = 0
        call for_each_map_elem; exit""" + ENDS + "f: func: r0 = 0; exit",
    "a lookup in a ring buffer": """
        r1 = map[ring]; r2 = r10; r2 += -8; *(u64 *)(r10 -8) = 0; call map_lookup_elem; exit""",
    "a lock read": LOOKED_UP + "r0 = *(u32 *)(r6 +4); exit" + ENDS,
    "a lock written with its neighbour": LOOKED_UP + "*(u64 *)(r6 +0) = 0; r0 = 1; exit" + ENDS,
    "a lock written through an offset": FIRST + LOOKED_UP + """
        r9 &= 7; r6 += r9; *(u8 *)(r6 +0) = 0; r0 = 1; exit""" + ENDS,
    "a lock as a helper's buffer": "r9 = r1\n" + LOOKED_UP + """
        r1 = r9; r2 = 0; r3 = r6; r4 = 8; call xdp_load_bytes; r0 = 1; exit""" + ENDS,
    "a lock beside a lock": LOOKED_UP + "r1 = r6; call spin_lock; r0 = 1; exit" + ENDS,
    "a lock on the stack": "r1 = r10; r1 += -4; call spin_lock; r0 = 0; exit",
    "a lock given back that nobody holds": LOOKED_UP + """
        r1 = r6; r1 += 4; call spin_unlock; r0 = 0; exit""" + ENDS,
    "a lock taken twice": LOOKED_UP + """
        r1 = r6; r1 += 4; call spin_lock; r1 = r6; r1 += 4; call spin_lock; r0 = 0; exit""" + ENDS,
    "a call with a lock held": LOOKED_UP + """
        r1 = r6; r1 += 4; call spin_lock; call ktime_get_ns; r0 = 0; exit""" + ENDS,
    "an end with a lock held": LOOKED_UP + """
        r1 = r6; r1 += 4; call spin_lock; r0 = 0; exit""" + ENDS,
    "a fault with a lock held": LOOKED_UP + """
        r1 = r6; r1 += 4; call spin_lock; r1 = 0; r0 = *(u8 *)(r1 +0); exit""" + ENDS,
    "a dynptr of one's own making": LOOKED_UP + """
        *(u64 *)(r10 -24) = r6; *(u64 *)(r10 -16) = 0x10000008; r1 = r10; r1 += -24; r2 = 0
        r3 = r10; r3 += -8; r4 = 4; r5 = 0; *(u64 *)(r10 -8) = 0; call dynptr_write; exit""" + ENDS,
    "a dynptr made longer": LOOKED_UP.replace("locks", "numbers") + """
        r1 = r6; r2 = 8; r3 = 0; r4 = r10; r4 += -24; call dynptr_from_mem
        r1 = *(u32 *)(r10 -16); r1 += 8; *(u32 *)(r10 -16) = r1; r1 = r10; r1 += -24; r2 = 0
        r3 = 16; call dynptr_data; r0 = 0; exit""" + ENDS,
    "a dynptr of the run before": FIRST + """
        if r9 != 0 goto again\n""" + LOOKED_UP.replace("locks", "numbers") + """
        r1 = r6; r2 = 8; r3 = 0; r4 = r10; r4 += -24; call dynptr_from_mem; r7 = *(u64 *)(r10 -24)
        r8 = *(u64 *)(r10 -16); *(u32 *)(r10 -4) = 2; r2 = r10; r2 += -4; r1 = map[numbers]
        call map_lookup_elem; if r0 == 0 goto out; *(u64 *)(r0 +0) = r7; *(u32 *)(r10 -4) = 3
        r2 = r10; r2 += -4; r1 = map[numbers]; call map_lookup_elem; if r0 == 0 goto out
        *(u64 *)(r0 +0) = r8; r0 = 2; exit
        again: *(u32 *)(r10 -4) = 2; r2 = r10; r2 += -4; r1 = map[numbers]; call map_lookup_elem
        if r0 == 0 goto out; r7 = *(u64 *)(r0 +0); *(u32 *)(r10 -4) = 3
        r2 = r10; r2 += -4; r1 = map[numbers]; call map_lookup_elem; if r0 == 0 goto out
        r8 = *(u64 *)(r0 +0); *(u64 *)(r10 -24) = r7; *(u64 *)(r10 -16) = r8
        r1 = r10; r1 += -24; r2 = 0; r3 = 8; call dynptr_data; r0 = 0; exit""" + ENDS,
    "a dynptr to the stack": """
        r1 = r10; r1 += -64; r2 = 8; r3 = 0; r4 = r10; r4 += -24; call dynptr_from_mem; exit""",
    "a dynptr in a map": LOOKED_UP.replace("locks", "numbers") + """
        r1 = r6; r2 = 8; r3 = 0; r4 = r6; call dynptr_from_mem; exit""" + ENDS,
    "a dynptr that is not aligned": LOOKED_UP.replace("locks", "numbers") + """
        r1 = r6; r2 = 8; r3 = 0; r4 = r10; r4 += -21; call dynptr_from_mem; exit""" + ENDS,
    "a dynptr to a record that was given away": """
        r1 = map[ring]; r2 = 8; r3 = 0; r4 = r10; r4 += -16; call ringbuf_reserve_dynptr
        r1 = r10; r1 += -16; r2 = 0; r3 = 8; call dynptr_data; if r0 == 0 goto out
        r1 = r0; r2 = 0; call ringbuf_submit; r1 = r10; r1 += -16; r2 = 0
        call ringbuf_submit_dynptr; r0 = 0; exit""" + ENDS,
}  # fmt: skip


@pytest.mark.parametrize("name", GOES)
@pytest.mark.parametrize(("tier", "trusted"), WAYS)
def test_all_engines_agree(name, tier, trusted):
    found, maps = interpreted(GOES[name])
    assert len(found) == len(PACKETS)
    assert not isinstance(found[-1], int), "a fault"
    assert compiled(GOES[name], tier, trusted) == (found, maps)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize(("tier", "trusted"), CHECKED)
def test_what_no_verified_program_does_is_stopped_at_the_same_place(name, tier, trusted):
    found, maps = interpreted(FAULTS[name])
    assert isinstance(found[-1], int), found
    assert compiled(FAULTS[name], tier, trusted) == (found, maps)


@pytest.mark.parametrize(("tier", "trusted"), WAYS)
def test_a_lock_keeps_other_cpus_out(tier, trusted):
    text = (
        LOOKED_UP
        + """
        r1 = r6; r1 += 4; call spin_lock; r2 = *(u64 *)(r6 +8); r2 += 1; *(u64 *)(r6 +8) = r2
        r1 = r6; r1 += 4; call spin_unlock; r0 = 2; exit"""
        + ENDS
    )
    count = 50_000
    places, lengths = array("Q", bytes(8 * count)), array("I", [64]) * count
    with Machine(cpus=3) as machine:
        made = load(machine, text)
        batches = [PacketBatch(bytes(64), places, lengths, places) for _ in range(3)]
        made.programs["p"].run_parallel(batches, tier, trusted)
        value = made.raw_maps["locks"].lookup(bytes(4))
        assert int.from_bytes(value[8:], "little") == 3 * count


def test_who_fails_with_a_lock_held_keeps_nobody_waiting():
    text = (
        FIRST
        + "r9 &= 1\n"
        + LOOKED_UP
        + """
        r1 = r6; r1 += 4; call spin_lock; if r9 == 0 goto +2; r1 = 0; r0 = *(u8 *)(r1 +0)
        r1 = r6; r1 += 4; call spin_unlock; r0 = 2; exit"""
        + ENDS
    )
    zeros = array("Q", bytes(8 * 1000))
    with Machine(cpus=2) as machine:
        program = load(machine, text).programs["p"]
        bad, good = (PacketBatch(bytes([n]) * 64, zeros, array("I", [64]) * 1000, zeros)
                     for n in (1, 0))  # fmt: skip
        with pytest.raises(ProgramFault, match="read outside"):
            program.run_parallel([bad, good], "quick")
        while program.run_batch(good, "quick", cpu=1):
            pass
        assert (bad.done, good.done) == (0, 1000)


# --- helpers by number ----------------------------------------------------------------------------

BY_NUMBER = [
    *assemble("r6 = *(u8 *)(r1 +0); r1 = r10; r1 += -8; r2 = 8"), *assemble("callx r6"),
    *assemble("exit"),
]  # fmt: skip
"""The number of a helper is in the buffer: no engine knows it before."""


@pytest.mark.parametrize("engine", ["quick", "optimised"])
@pytest.mark.parametrize("number", [0, 7, 8, 16, 93, 201, 255])
def test_a_helper_by_a_number_that_is_known_late(engine, number):
    def result(engine):
        try:
            return bare.run(BY_NUMBER, bytes([number]), engine=engine)[0]
        except ProgramFault as fault:
            return fault.slot

    assert result(engine) == result("interpreter")


@pytest.mark.parametrize("number", [8, 16])
def test_trusted_code_calls_helpers_by_numbers(number):
    results = [
        bare.run(BY_NUMBER, bytes([number]), engine=e)[0] for e in ("interpreter", "trusted")
    ]
    assert results[0] == results[1]


# --- legacy packet loads --------------------------------------------------------------------------


@pytest.mark.parametrize(("tier", "trusted"), CHECKED)
@pytest.mark.parametrize("where", ["r6 = r1", "r6 = r10", "r6 = 0"])
def test_a_legacy_packet_load_needs_the_context(tier, trusted, where):
    """r6 has been on the stack, so nothing is known of it."""
    text = f"r7 = *(u32 *)(r1 +12); {where}; r2 = r10; r2 += -8; r3 = r2; if r7 == 99 goto +1\n"
    text += "r3 += -8; *(u64 *)(r3 +0) = r6; r6 = *(u64 *)(r10 -16); r0 = *(u8 *)skb[0]; exit"
    found, maps = interpreted(text)
    assert isinstance(found[-1], int) == (where != "r6 = r1")
    assert compiled(text, tier, trusted) == (found, maps)
