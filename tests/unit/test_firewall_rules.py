"""The rules of the example firewall: the file says what it means, and changes happen at once."""

import importlib.util
import random
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebee.errors import ConfigError

pytestmark = pytest.mark.unit

EXAMPLES = Path(__file__).parents[2] / "examples"


def load_module():
    spec = importlib.util.spec_from_file_location("firewall_rules", EXAMPLES / "firewall_rules.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rules = load_module()
PASS, DROP = 2, 1


class FakeMap(dict):
    """A map with dict keys and values, as ebee's handles have; `watch` sees every change."""

    watch = staticmethod(lambda: None)

    def _freeze(self, key):
        return key if isinstance(key, int) else repr(rules_key(key))

    def __getitem__(self, key):
        return super().__getitem__(self._freeze(key))[1]

    def __setitem__(self, key, value):
        super().__setitem__(self._freeze(key), (key, value))
        self.watch()

    def __delitem__(self, key):
        super().__delitem__(self._freeze(key))
        self.watch()

    def update(self, pairs):
        for key, value in pairs:
            self[key] = value

    def items(self):
        return list(self.values())


def rules_key(key):
    """The number pair of a map key."""
    return rules.TABLES["sources" if "prefixlen" in key else "services"].read(key)


def empty_maps():
    """What a freshly loaded firewall.c has."""
    maps = {name: FakeMap() for name in ("sources", "destinations", "services")}
    maps |= {name: FakeMap() for name in ("rules", "bank_in_use", "hits")}
    for slot in range(2 * rules.RULES):
        maps["rules"][slot] = {"name": "", "action": 0, "log": 0, "hits": 0}
    for place in range(rules.RULES):
        maps["hits"][place] = [{"packets": 7, "bytes": 7}] * 2
    maps["bank_in_use"][0] = 0
    return maps


def numeric(address):
    found = ip_address(address)
    return int(found) | (rules.V4 if found.version == 4 else 0)


def decide(maps, source, destination, protocol, port):
    """What firewall.c does with a packet: the name and the action of the rule it finds."""
    bank = maps["bank_in_use"][0]

    def look(table, key):
        sets = {rules_key(k): v["bank"][bank] for k, v in maps[table].items()}
        if table == "services":
            order = [key, (key[0], rules.ANY), (rules.ANY, rules.ANY)]
        else:  # longest prefix, without the code under test
            order = [(n, key >> 128 - n << 128 - n) for n in range(128, -1, -1)]
        return next((sets[k] for k in order if k in sets), 0)

    matching = look("sources", numeric(source)) & look("destinations", numeric(destination))
    matching &= look("services", (protocol, port))
    number = next(n for n in range(64) if (matching | 1 << 63) >> n & 1)
    rule = maps["rules"][bank * rules.RULES + number]
    return rule["name"], rule["action"]


def fragment_of(rule, port):
    return port == rules.FRAGMENT and rule.action == "pass"


def expected(config, source, destination, protocol, port):
    """The same by trying one rule after the other."""

    def inside(address, networks):
        value = numeric(address)
        mapped = value >> 32 == 0xFFFF
        return networks is None or any(
            value >> 128 - n == network >> 128 - n
            and mapped == (network >> 32 == 0xFFFF and n > 95)
            for n, network in networks
        )

    for rule in config.rules:
        if (
            inside(source, rule.sources)
            and inside(destination, rule.destinations)
            and (rule.protocols is None or protocol in rule.protocols)
            and (rule.ports is None or port in rule.ports or fragment_of(rule, port))
        ):
            return rule.name, rules.ACTIONS[rule.action]
    return "default", rules.ACTIONS[config.default]


ADDRESSES = ["10.0.0.1", "10.0.1.1", "10.1.0.1", "192.0.2.1", "2001:db8::1", "2001:db8:1::1", "::1"]
NETWORKS = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24", "10.0.0.1", "192.0.2.0/31"]
NETWORKS += ["::/0", "::/64", "2001:db8::/32", "2001:db8::/48", "2001:db8::1", "::1"]
FLOWS = [
    (source, destination, protocol, port)
    for source in ADDRESSES
    for destination in ADDRESSES[1::2]
    for protocol, port in [
        (6, 80),
        (6, 22),
        (17, 53),
        (1, 8),
        (47, 0),
        (6, rules.FRAGMENT),
        (17, rules.FRAGMENT),
    ]
]


def config_text(dice):
    """A random rule file."""
    lines = [f'default = "{dice.choice(["pass", "drop"])}"']
    names = dice.sample(["a", "b", "c", "d", "e", "f", "g"], dice.randrange(7))
    for name in names:
        lines += [f"[rule.{name}]", f'action = "{dice.choice(["pass", "drop"])}"']
        for key in ("source", "destination"):
            if dice.random() < 0.6:
                lines.append(f"{key} = {dice.sample(NETWORKS, dice.randrange(1, 4))!r}")
        lines += dice.choice(
            [
                [],
                ['protocol = "tcp"'],
                ['protocol = ["tcp", "udp"]', "port = 53"],
                ['port = [22, "70-90"]'],
                ['protocol = "icmp"', "type = [0, 8]"],
                ["protocol = 47"],
            ]
        )
    return "\n".join(lines)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_sets_decide_as_the_rules_do_one_by_one(seed):
    config = rules.parse(config_text(random.Random(seed)))
    maps = empty_maps()
    rules.apply(maps, config)
    for flow in random.Random(seed).sample(FLOWS, 30):
        assert decide(maps, *flow) == expected(config, *flow), flow


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32))
def test_rules_change_all_at_once(seed):
    dice = random.Random(seed)
    maps = empty_maps()
    configs = [rules.parse(config_text(dice)) for _ in range(4)]
    rules.apply(maps, configs[0])
    flows = dice.sample(FLOWS, 8)
    for old, new in pairwise(configs):
        begun = maps["bank_in_use"][0]
        want = {bank: [expected(c, *f) for f in flows] for bank, c in ((0, old), (1, new))}

        def look(begun=begun, want=want):
            switched = maps["bank_in_use"][0] != begun
            assert [decide(maps, *flow) for flow in flows] == want[switched]

        for one in maps.values():
            one.watch = look
        rules.apply(maps, new)
        for one in maps.values():
            del one.watch
        for flow in FLOWS[::7]:
            assert decide(maps, *flow) == expected(new, *flow), flow
        for table, sets in rules.compile_sets(new).items():
            assert {rules_key(k) for k, _ in maps[table].items()} == sets.keys(), "nothing is left"


def test_rules_that_stay_are_not_written_again():
    maps = empty_maps()
    text = "[rule.%s]\naction='drop'\nsource=[%s]"
    many = [f"'10.{n}.0.0/16'" for n in range(200)]
    assert rules.apply(maps, rules.parse(text % ("a", ",".join(many)))).written > 200
    again = rules.parse(text % ("a", ",".join(many)))
    assert rules.apply(maps, again) == (0, 0, 0)
    more = rules.parse(text % ("a", ",".join([*many, "'192.0.2.1'"])))
    rules.apply(maps, more)  # the first change fills the second bank
    fewer = rules.parse(text % ("a", ",".join([*many[1:], "'192.0.2.1'"])))
    assert rules.apply(maps, fewer) == (2, 1, 0), "one that came, one that went"
    assert rules.apply(maps, rules.parse(text % ("b", ",".join(many[1:])))).rules == 2


def test_a_rule_keeps_its_counter_when_others_come_and_go():
    maps = empty_maps()
    rules.apply(maps, rules.parse("[rule.a]\naction='pass'\n[rule.b]\naction='drop'"))
    slots = {maps["rules"][n]["name"]: maps["rules"][n]["hits"] for n in (64, 65, 127)}
    assert slots == {"a": 0, "b": 1, "default": 63}
    assert maps["hits"][1] == [{"packets": 0, "bytes": 0}] * 2, "new ones begin at nought"
    maps["hits"][1] = [{"packets": 5, "bytes": 5}] * 2
    rules.apply(maps, rules.parse("[rule.c]\naction='pass'\n[rule.b]\naction='drop'"))
    slots = {maps["rules"][n]["name"]: maps["rules"][n]["hits"] for n in (0, 1, 63)}
    assert slots == {"c": 2, "b": 1, "default": 63}
    assert maps["hits"][1][0]["packets"] == 5


def test_all_63_rules_may_be_replaced_by_63_others():
    maps = empty_maps()
    for prefix in "ab":
        text = "".join(f"[rule.{prefix}{n}]\naction='drop'\nport={n}\n" for n in range(63))
        config = rules.parse(text)
        rules.apply(maps, config)
        assert decide(maps, "10.0.0.1", "10.0.0.2", 6, 62) == (f"{prefix}62", DROP)
    with pytest.raises(ConfigError, match="64 rules, at most 63"):
        rules.parse("".join(f"[rule.r{n}]\naction='drop'\n" for n in range(64)))


def test_a_map_that_is_full_leaves_the_old_rules_in_force():
    maps = empty_maps()
    rules.apply(maps, rules.parse("default='drop'"))

    class Full(Exception):
        pass

    def refuse():
        raise Full

    maps["sources"].watch = refuse
    with pytest.raises(Full):
        rules.apply(maps, rules.parse("[rule.a]\naction='pass'\nsource='10.0.0.1'"))
    del maps["sources"].watch
    assert decide(maps, "10.0.0.1", "10.0.0.2", 6, 80) == ("default", DROP)
    rules.apply(maps, rules.parse("[rule.a]\naction='pass'\nsource='10.0.0.1'"))
    assert decide(maps, "10.0.0.1", "10.0.0.2", 6, 80) == ("a", PASS)


RULE = "default = 'drop'\n\n[rule.a]\naction = 'pass'\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ?", "rules, line 1, column 5: Invalid value"),
        ("x = [", "rules.*: "),
        ("defualt = 'drop'", "rules, line 1: unknown key 'defualt', did you mean 'default'?"),
        ("default = 'deny'", "rules, line 1: 'deny' is no action: drop or pass"),
        ("log = 1", "line 1: 1 is neither true nor false"),
        ("rule = 1", r"line 1: rules are tables with a name: \[rule.NAME\]"),
        ("[rule]\na = 1", r"rules are tables with a name"),
        ("[rule.a]\nlog = true", "line 1: rule a: it has no action"),
        (
            RULE + "sauce = '10.0.0.1'",
            "line 5: rule a: unknown key 'sauce', did you mean 'source'?",
        ),
        (RULE + "source = '10.0.0.1/8'", "line 5: rule a: 10.0.0.1/8 has host bits set"),
        (RULE + "source = ['::1', '10.0.0.300']", "line 5: rule a: '10.0.0.300' does not appear"),
        (RULE + "destination = 5", "line 5: rule a: 5 is no network"),
        (RULE + "source = '::ffff:10.0.0.0/104'", "are IPv4 addresses: write them as such"),
        (RULE + "protocol = 'tpc'", "line 5: rule a: 'tpc' is no protocol: icmp, tcp, udp"),
        (RULE + "protocol = 256", "256 is no protocol"),
        (RULE + "protocol = true", "True is no protocol"),
        (RULE + "port = 65536", "65536 is no port: a number up to 65535, or a range"),
        (RULE + "port = '9-8'", "'9-8' is no port"),
        (RULE + "port = true", "True is no port"),
        (RULE + "port = 80\nprotocol = 'icmp'", "line 5: rule a: only tcp and udp have ports"),
        (RULE + "type = 8", "line 5: rule a: it needs protocol = .icmp."),
        (RULE + "type = 300\nprotocol = 'icmp'", "300 is no type: a number up to 255"),
        (RULE + "type = 8\nport = 8", "ports or ICMP types, not both"),
        ("[rule.default]\naction='drop'", "line 1: rule default: a rule's name"),
        (f"[rule.{'x' * 24}]\naction='drop'", "1 to 23 bytes"),
        (RULE + "[rule.a]\naction='drop'", "rules, line 5.*: Cannot declare"),
    ],
)
def test_a_broken_rule_file_is_refused_with_its_line(text, message):
    with pytest.raises(ConfigError, match=message):
        rules.parse(text)


def test_too_many_ports_are_refused():
    text = "[rule.a]\naction='pass'\nport='0-65535'"
    with pytest.raises(ConfigError, match="come to 131077 entries, at most 65536"):
        rules.compile_sets(rules.parse(text))


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read rules .*none\.toml: No such file"):
        rules.load(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        rules.load(tmp_path / "bad.toml")


def test_a_rule_file_is_applied_when_it_changes(tmp_path):
    path, maps = tmp_path / "rules.toml", empty_maps()
    path.write_text("default = 'drop'")
    watched = rules.RuleFile(path)
    assert watched.update(maps) is not None
    assert watched.update(maps) is None, "nothing has changed"
    path.write_text("default = 'dropp'")
    with pytest.raises(ConfigError, match="'dropp' is no action"):
        watched.update(maps)
    assert watched.update(maps) is None, "the error is told once"
    assert decide(maps, "10.0.0.1", "10.0.0.2", 6, 80) == ("default", DROP)
    path.write_text("default = 'pass'  ")
    assert watched.update(maps) is not None
    assert decide(maps, "10.0.0.1", "10.0.0.2", 6, 80) == ("default", PASS)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "rule web: tcp 192.0.2.1:1234 > 192.0.2.2:80, 54 bytes"),
        ({"vlan": 7}, "rule web in VLAN 7: tcp 192.0.2.1:1234 > 192.0.2.2:80, 54 bytes"),
        ({"source": "2001:db8::1"}, "rule web: tcp [2001:db8::1]:1234 > 192.0.2.2:80, 54 bytes"),
        (
            {"protocol": 1, "source_port": 0, "destination_port": 8},
            "rule web: icmp type 8 192.0.2.1 > 192.0.2.2, 54 bytes",
        ),
        (
            {"protocol": 17, "fragment": 1, "source_port": 0, "destination_port": 0},
            "rule web: udp fragment 192.0.2.1 > 192.0.2.2, 54 bytes",
        ),
        (
            {"protocol": 132, "source_port": 0, "destination_port": 0, "rule": ""},
            "too deep: sctp 192.0.2.1 > 192.0.2.2, 54 bytes",
        ),
        ({"protocol": 200, "rule": "", "source": "::"}, "too deep: 54 bytes"),
    ],
)
def test_events_are_told_in_one_line(changes, line):
    flow = {"source": "192.0.2.1", "destination": "192.0.2.2", "protocol": 6, "vlan": 0}
    flow |= {"source_port": 1234, "destination_port": 80, "fragment": 0}
    event = {"time": 0, "reason": SimpleNamespace(name="TOO_DEEP"), "length": 54, "rule": "web"}
    for key, value in changes.items():
        (flow if key in flow else event)[key] = value
    for end in ("source", "destination"):
        flow[end] = {"bytes": list(numeric(flow[end]).to_bytes(16, "big"))}
    assert rules.event_line({**event, "flow": flow}) == line


def test_the_example_rules_do_what_they_say():
    maps, config = empty_maps(), rules.load(EXAMPLES / "firewall.toml")
    rules.apply(maps, config)
    for flow, name in [
        (("203.0.113.9", "192.0.2.10", 6, 80), "blocklist"),
        (("10.100.0.7", "192.0.2.10", 6, 23), "management"),
        (("198.51.100.7", "192.0.2.10", 6, 8004), "web"),
        (("2001:db8:1::7", "2001:db8:2::10", 17, 53), "dns"),
        (("192.0.2.10", "198.51.100.7", 6, 40000), "outgoing"),
        (("198.18.7.7", "192.0.2.10", 6, 80), "bogons"),
        (("198.51.100.7", "192.0.2.10", 6, 23), "telnet"),
        (("198.51.100.7", "192.0.2.10", 1, 8), "ping"),
        (("198.51.100.7", "192.0.2.10", 1, 13), "default"),
        (("198.51.100.7", "192.0.2.10", 17, rules.FRAGMENT), "dns"),
        (("fe80::1", "ff02::1", 58, 135), "icmpv6"),
        (("198.51.100.7", "192.0.2.10", 6, 22), "default"),
    ]:
        assert decide(maps, *flow)[0] == name, flow
        assert decide(maps, *flow) == expected(config, *flow)
