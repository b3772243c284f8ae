"""The example firewall in the kernel, packet by packet against a model of it in plain Python."""

import importlib.util
import random
import struct
import threading
from collections import Counter
from itertools import chain, pairwise
from pathlib import Path

import pytest

from ebee import linux
from ebee.btf.codec import Codec
from ebee.clang import build
from ebee.machine.capture import Capture

pytestmark = pytest.mark.kernel

EXAMPLES = Path(__file__).parents[2] / "examples"
CAPTURES = [EXAMPLES / "data" / name for name in ("web.pcapng", "flood.pcap.gz")]
DROP, PASS = 1, 2
OTHER_RULES = """
default = "pass"
[rule.pings]
protocol = ["icmp", "icmpv6"]
action = "drop"
[rule.client]
source = ["198.51.100.7", "2001:db8:1::/48"]
destination = "192.0.0.0/16"
port = ["1-100", 8000]
action = "drop"
log = true
[rule.bogons]
source = "198.18.0.0/15"
protocol = "tcp"
port = 443
action = "pass"
[rule.rest]
source = ["198.18.0.0/16", "198.18.3.103"]
action = "drop"
"""


def load_module():
    spec = importlib.util.spec_from_file_location("firewall_rules", EXAMPLES / "firewall_rules.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rules = load_module()


class Malformed(Exception):
    pass


class TooDeep(Exception):
    pass


class NotIp(Exception):
    pass


def cut(data, size):
    if len(data) < size:
        raise Malformed
    return data[:size], data[size:]


def mapped(address):
    return int.from_bytes(address, "big") | (0xFFFF << 32 if len(address) == 4 else 0)


def dissect(frame):
    """What firewall.c makes of a frame: (source, destination, protocol, port)."""
    head, rest = cut(frame, 14)
    kind = head[12:]
    for _ in range(3):
        if kind == b"\x08\x00":
            return dissect_ipv4(rest)
        if kind == b"\x86\xdd":
            return dissect_ipv6(rest)
        if kind not in (b"\x81\x00", b"\x88\xa8"):
            raise NotIp
        tag, rest = cut(rest, 4)
        kind = tag[2:]
    raise TooDeep


def dissect_ipv4(data):
    head, _ = cut(data, 20)
    size = (head[0] & 15) * 4
    if head[0] >> 4 != 4 or size < 20 or int.from_bytes(head[2:4], "big") < size:
        raise Malformed
    _, rest = cut(data, size)
    fragment = int.from_bytes(head[6:8], "big") & 0x1FFF
    port = rules.FRAGMENT if fragment else transport(head[9], rest)
    return mapped(head[12:16]), mapped(head[16:20]), head[9], port


def dissect_ipv6(data):
    head, rest = cut(data, 40)
    if head[0] >> 4 != 6:
        raise Malformed
    kind, ends = head[6], (mapped(head[8:24]), mapped(head[24:40]))
    for _ in range(7):
        if kind not in (0, 43, 44, 51, 60):
            return *ends, kind, transport(kind, rest)
        extension, after = cut(rest, 8)
        if kind == 44:
            rest = after
            if int.from_bytes(extension[2:4], "big") >> 3:
                return *ends, extension[0], rules.FRAGMENT
        else:
            size = (extension[1] + 2) * 4 if kind == 51 else (extension[1] + 1) * 8
            _, rest = cut(rest, size)
        kind = extension[0]
    raise TooDeep


def transport(protocol, data):
    if protocol in (6, 17):
        return struct.unpack("!2xH", cut(data, 20 if protocol == 6 else 8)[0][:4])[0]
    return cut(data, 8)[0][0] if protocol in (1, 58) else 0


def decide(config, flow):
    """The rules one by one: the number and the rule that decides."""
    source, destination, protocol, port = flow

    def inside(address, networks):
        return networks is None or any(
            (address >> 32 == 0xFFFF) == (network >> 32 == 0xFFFF and bits >= 96)
            and address >> 128 - bits == network >> 128 - bits
            for bits, network in networks
        )

    for number, rule in enumerate(config.rules):
        ports = rule.ports is None or port in rule.ports
        ports = ports or (port == rules.FRAGMENT and rule.action == "pass")
        protocols = rule.protocols is None or protocol in rule.protocols
        ends = inside(source, rule.sources) and inside(destination, rule.destinations)
        if ends and ports and protocols:
            return number, rule.name, rule.action, rule.log
    return rules.DEFAULT, "default", config.default, config.log


class Model:
    """What should come out: verdicts, counters, events."""

    def __init__(self, config):
        self.config = config
        self.hits, self.verdicts, self.sources = Counter(), Counter(), Counter()
        self.events = []

    def run(self, frame):
        try:
            flow = dissect(frame)
        except NotIp:
            verdict = PASS
        except (Malformed, TooDeep) as error:
            verdict, reason = DROP, "MALFORMED" if isinstance(error, Malformed) else "TOO_DEEP"
            self.events.append((reason, "", len(frame)))
        else:
            number, name, action, log = decide(self.config, flow)
            verdict = rules.ACTIONS[action]
            self.hits[name] += 1
            self.sources[flow[0]] += 1
            if verdict == DROP and log:
                reason = "BY_DEFAULT" if number == rules.DEFAULT else "BY_RULE"
                self.events.append((reason, name, len(frame)))
        self.verdicts[verdict] += 1
        return verdict


@pytest.fixture(scope="module")
def spec():
    return build(EXAMPLES / "firewall.c")


@pytest.fixture
def firewall(spec):
    with linux.load(spec) as loaded:
        yield loaded


def events_of(firewall):
    codec = Codec(firewall.spec.btf, firewall.spec.btf.find("event").id)
    for record in firewall.ring_buffer("events").drain():
        yield codec.decode(bytes(record))


def check(firewall, model, frames):
    """Run frames through the kernel and the model; everything there is to see must be equal."""
    run, events = firewall.programs["firewall"].test_run, []
    for frame in frames:
        assert run(frame).retval == model.run(frame), frame.hex()
        events.extend((e.reason.name, e.rule, e.length) for e in events_of(firewall))
    assert events == model.events
    verdicts = {at: each.sum().packets for at, each in firewall.maps["verdicts"].items()}
    assert verdicts == {at: model.verdicts[at] for at in range(5)}
    names = {r["hits"]: r["name"] for r in firewall.maps["rules"].values() if r["name"]}
    hits = {names.get(at): each.sum().packets for at, each in firewall.maps["hits"].items()}
    assert {name: n for name, n in hits.items() if n} == model.hits
    assert firewall.variables["events_sent"].value == len(events)
    assert firewall.variables["events_lost"].value == 0


def captured():
    for path in CAPTURES:
        with Capture.open(path) as capture:
            yield from (packet.data for packet in capture)


def mutants(count):
    """Frames of the captures with damage where the headers are, and with more tags."""
    dice = random.Random(20)
    kinds = {}  # by protocols, so that the flood is one kind among others
    for frame in captured():
        kinds.setdefault((frame[12:15], frame[20:24]), []).append(frame)
    for _ in range(count):
        frame = bytearray(dice.choice(dice.choice(list(kinds.values()))))
        for _ in range(dice.choice((1, 1, 2, 5))):
            at = dice.randrange(12, min(len(frame), 90))
            frame[at] = dice.choice((0, 1, 6, 17, 43, 44, 51, 58, 60, 255, dice.randrange(256)))
        if dice.random() < 0.3:
            tags = dice.choice((b"\x81\x00\x00\x05", b"\x88\xa8\x00\x05\x81\x00\x00\x06"))
            frame[12:12] = tags * dice.choice((1, 1, 2))
        if dice.random() < 0.5:
            del frame[dice.randrange(14, len(frame)) :]
        yield bytes(frame)


def chains(count):
    """IPv6 frames with chains of extension headers, some too long, some cut off."""
    dice = random.Random(6)
    client = bytes.fromhex("20010db8000100000000000000000007")
    server = bytes.fromhex("20010db8000200000000000000000010")
    for _ in range(count):
        last = dice.choice((6, 17, 58, 132))
        kinds = [dice.choice((0, 43, 44, 51, 60)) for _ in range(dice.randrange(9))]
        body = b""
        for kind, following in pairwise([*kinds, last]):
            length = dice.choice((0, 0, 1, 2))
            size = 8 if kind == 44 else (length + 2) * 4 if kind == 51 else (length + 1) * 8
            offset = dice.choice((0, 0, 0, 1, 7, 8, 16, 0x1000)) if kind == 44 else 0
            body += struct.pack("!BBH", following, length, offset) + bytes(size - 4)
        body += struct.pack("!HH", 40000, dice.choice((80, 53, 22, 443))) + bytes(16)
        head = struct.pack("!IHBB", 6 << 28, len(body), (kinds or [last])[0], 64)
        frame = bytes(12) + b"\x86\xdd" + head + client + server + body
        yield frame[: dice.randrange(54, len(frame))] if dice.random() < 0.3 else frame


def test_without_rules_everything_passes_but_broken_frames(firewall):
    run = firewall.programs["firewall"].test_run
    for frame in list(captured())[:500]:
        try:
            dissect(frame)
        except (Malformed, TooDeep):
            assert run(frame).retval == DROP
        except NotIp:
            assert run(frame).retval == PASS
        else:
            assert run(frame).retval == PASS


def test_the_default_policy_without_rules_is_a_constant_of_the_object(spec):
    strict = spec.copy()
    strict.variables["default_policy"].value = DROP
    with linux.load(strict) as firewall:
        frame = next(frame for frame in captured() if frame[12:14] == b"\x08\x00")
        assert firewall.programs["firewall"].test_run(frame).retval == DROP


def test_the_captures_get_the_verdicts_of_the_rules(firewall):
    config = rules.load(EXAMPLES / "firewall.toml")
    rules.apply(firewall.maps, config)
    model = Model(config)
    check(firewall, model, captured())
    top = {
        int.from_bytes(bytes(address["bytes"]), "big"): counter["packets"]
        for address, counter in firewall.maps["top_sources"].items()
    }
    assert all(top[source] == n for source, n in model.sources.most_common(8))
    shown, busiest = rules.tables(firewall.maps, 5)
    names = [*(rule.name for rule in config.rules), "default"]
    assert [(row[0], row[2]) for row in shown[2]] == [(name, model.hits[name]) for name in names]
    counts = [n for _, n in model.sources.most_common(5)]
    assert [packets for _, packets, _ in busiest[2]] == counts
    used = {rule.name for rule in config.rules} | {"default"}
    assert model.hits.keys() == used, "the captures try every rule"
    assert {reason for reason, *_ in model.events} == {
        "BY_RULE",
        "BY_DEFAULT",
        "MALFORMED",
        "TOO_DEEP",
    }


def test_the_documented_verdicts_are_those_of_the_rules():
    text = (EXAMPLES.parent / "docs" / "firewall.md").read_text()
    config = rules.load(EXAMPLES / "firewall.toml")
    models = []
    for path in CAPTURES:
        model = Model(config)
        models.append(model)
        with Capture.open(path) as capture:
            verdicts = Counter(model.run(packet.data) for packet in capture)
        figures = (verdicts.total(), verdicts[PASS], verdicts[DROP], len(model.events))
        assert f"| `{path.name}` | {' | '.join(f'{n:,}' for n in figures)} |" in text
    for name in [*(rule.name for rule in config.rules), "default"]:
        assert f"| {name} | {' | '.join(f'{model.hits[name]:,}' for model in models)} |" in text


def test_damaged_frames_get_the_verdicts_of_the_rules(firewall):
    config = rules.load(EXAMPLES / "firewall.toml")
    rules.apply(firewall.maps, config)
    check(firewall, Model(config), chain(mutants(3000), chains(3000)))


def test_rules_change_while_it_runs(firewall):
    frames = list({frame[:80]: frame for frame in captured()}.values())[:600]
    first, second = rules.load(EXAMPLES / "firewall.toml"), rules.parse(OTHER_RULES)
    for config in (first, second, first):
        rules.apply(firewall.maps, config)
        model = Model(config)
        run = firewall.programs["firewall"].test_run
        for frame in frames:
            assert run(frame).retval == model.run(frame), frame.hex()
        sets = rules.compile_sets(config)
        assert {name: len(firewall.maps[name]) for name in sets} == {
            name: len(entries) for name, entries in sets.items()
        }, "entries that are gone are gone"


def test_no_packet_meets_half_a_rule_file(firewall):
    """Both rule files drop the frame, by rules of other numbers and networks of other sizes."""
    first = rules.parse("[rule.a]\naction='drop'\nsource=['198.51.100.0/24', '10.0.0.0/8']")
    second = rules.parse(
        "[rule.b]\naction='pass'\nsource=['10.0.0.0/8', '198.51.100.128/25']\n"
        "[rule.c]\naction='drop'\nsource='198.51.100.7'\nprotocol='tcp'\nport=80"
    )
    frame = next(f for f in captured() if f[12:14] == b"\x08\x00" and f[26] == 198)
    rules.apply(firewall.maps, first)
    done, seen = threading.Event(), Counter()

    def send():
        run = firewall.programs["firewall"].test_run
        while not done.is_set():
            seen[run(frame).retval] += 1

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for _ in range(20):
            rules.apply(firewall.maps, second)
            rules.apply(firewall.maps, first)
    finally:
        done.set()
        sender.join()
    assert seen.keys() == {DROP}
    assert seen[DROP] > 100


def test_a_full_ring_buffer_is_counted_not_waited_for(firewall):
    rules.apply(firewall.maps, rules.parse("default = 'drop'\nlog = true"))
    frame = next(frame for frame in captured() if frame[12:14] == b"\x08\x00")
    firewall.programs["firewall"].test_run(frame, repeat=20_000)
    sent, lost = (firewall.variables[name].value for name in ("events_sent", "events_lost"))
    assert sent + lost == 20_000
    assert lost > 0
    assert sum(1 for _ in events_of(firewall)) == sent
