"""Rules for firewall.c: reads a TOML file, turns it into map entries, keeps them up to date.

`load` reads and checks a file, `apply` brings the maps in line with it, `RuleFile` does both
whenever the file changes; `tables` and `event_line` tell people what the firewall did.
Maps are what ebee hands out, `maps["sources"]` and so on: mutable mappings with typed keys and
values, the same on the machine and in the kernel.
"""

from __future__ import annotations

import difflib
import os
import re
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from ipaddress import IPv4Network, IPv6Address, ip_network
from pathlib import Path
from typing import Any, NamedTuple

from ebee.errors import ConfigError

# As in firewall.c.
RULES = 64
DEFAULT = RULES - 1
ANY = 0x10000
FRAGMENT = 0x10001
NAME_BYTES = 23
MAX_ENTRIES = 65536

# Seconds after switching banks until the old one is touched again: packets that are just being
# looked at still use it, for some microseconds.
GRACE = 0.01

ACTIONS = {"drop": 1, "pass": 2}  # XDP_DROP, XDP_PASS
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "icmpv6": 58, "sctp": 132}
WITH_PORTS = {PROTOCOLS["tcp"], PROTOCOLS["udp"]}
WITH_TYPES = {PROTOCOLS["icmp"], PROTOCOLS["icmpv6"]}
V4 = 0xFFFF << 32  # ::ffff:0:0, where IPv4 addresses are mapped to: a network of 96 bits

Maps = Mapping[str, MutableMapping[Any, Any]]
Network = tuple[int, int]  # prefix length, address as a 128-bit number
Service = tuple[int, int]  # protocol or ANY; port, ICMP type, ANY or FRAGMENT
Sets = dict[tuple[int, int], int]  # network or service -> the rules that match, bit by bit


class Rule(NamedTuple):
    """One rule; what is None matches everything."""

    name: str
    action: str
    log: bool = False
    sources: tuple[Network, ...] | None = None
    destinations: tuple[Network, ...] | None = None
    protocols: frozenset[int] | None = None
    ports: frozenset[int] | None = None


class Config(NamedTuple):
    """A rule file: rules in order, then what becomes of packets that none of them matches."""

    rules: tuple[Rule, ...] = ()
    default: str = "pass"
    log: bool = False


class Changes(NamedTuple):
    """What `apply` did: entries of the three lookup tables, and rules."""

    written: int
    removed: int
    rules: int


# ------------------------------------------------------------------------------ reading the file


class _Reader:
    """Reads one TOML text; knows where in it a value stands, for messages."""

    def __init__(self, text: str, name: str):
        self.text = text
        self.name = name

    def config(self) -> Config:
        try:
            data = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error))
            where = f", line {found[2]}, column {found[3]}" if found else ""
            text = found[1] if found else str(error)
            raise ConfigError(f"{self.name}{where}: {text}") from None
        self.known(data, ("default", "log", "rule"), "")
        tables = data.get("rule", {})
        if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
            raise self.wrong("", "rule", "rules are tables with a name: [rule.NAME]")
        if len(tables) >= RULES:
            raise ConfigError(f"{self.name}: {len(tables)} rules, at most {RULES - 1} are possible")
        return Config(
            rules=tuple(self.rule(name, table) for name, table in tables.items()),
            default=self.action("", "default", data.get("default", "pass")),
            log=self.flag("", data),
        )

    def rule(self, name: str, table: dict[str, Any]) -> Rule:
        keys = ("action", "log", "source", "destination", "protocol", "port", "type")
        self.known(table, keys, name)
        if not 0 < len(name.encode()) <= NAME_BYTES or name == "default":
            raise self.wrong(
                name, "", f"a rule's name takes 1 to {NAME_BYTES} bytes, not 'default'"
            )
        if "action" not in table:
            raise self.wrong(name, "", "it has no action: drop or pass")
        protocols = self.protocols(name, table)
        if "port" in table:
            protocols = protocols or frozenset(WITH_PORTS)
            ports = self.numbers(name, table, "port", 0xFFFF)
            if not protocols <= WITH_PORTS:
                raise self.wrong(name, "port", "only tcp and udp have ports")
            if "type" in table:
                raise self.wrong(name, "type", "a rule has ports or ICMP types, not both")
        elif "type" in table:
            ports = self.numbers(name, table, "type", 0xFF)
            if not protocols or not protocols <= WITH_TYPES:
                raise self.wrong(name, "type", 'it needs protocol = "icmp" or "icmpv6"')
        else:
            ports = None
        return Rule(
            name,
            self.action(name, "action", table["action"]),
            self.flag(name, table),
            self.networks(name, table, "source"),
            self.networks(name, table, "destination"),
            protocols,
            ports,
        )

    def action(self, rule: str, key: str, value: Any) -> str:
        if not isinstance(value, str) or value not in ACTIONS:
            raise self.wrong(rule, key, f"{value!r} is no action: drop or pass")
        return value

    def flag(self, rule: str, table: dict[str, Any]) -> bool:
        value = table.get("log", False)
        if not isinstance(value, bool):
            raise self.wrong(rule, "log", f"{value!r} is neither true nor false")
        return value

    def networks(self, rule: str, table: dict[str, Any], key: str) -> tuple[Network, ...] | None:
        if key not in table:
            return None
        return tuple(self.network(rule, key, text) for text in _listed(table[key]))

    def network(self, rule: str, key: str, text: Any) -> Network:
        if not isinstance(text, str):
            raise self.wrong(rule, key, f"{text!r} is no network: write it as text")
        try:
            network = ip_network(text)
        except ValueError as error:
            raise self.wrong(rule, key, str(error)) from None
        number = int(network.network_address)
        if isinstance(network, IPv4Network):
            return 96 + network.prefixlen, V4 | number
        if network.prefixlen >= 96 and number >> 32 == V4 >> 32:
            raise self.wrong(rule, key, f"{text} are IPv4 addresses: write them as such")
        return network.prefixlen, number

    def protocols(self, rule: str, table: dict[str, Any]) -> frozenset[int] | None:
        if "protocol" not in table:
            return None
        numbers = []
        for value in _listed(table["protocol"]):
            number = PROTOCOLS.get(value) if isinstance(value, str) else value
            if type(number) is not int or not 0 <= number <= 255:
                known = ", ".join(PROTOCOLS)
                text = f"{value!r} is no protocol: {known}, or a number up to 255"
                raise self.wrong(rule, "protocol", text)
            numbers.append(number)
        return frozenset(numbers)

    def numbers(self, rule: str, table: dict[str, Any], key: str, most: int) -> frozenset[int]:
        """Numbers and ranges: 53, "8000-8010"."""
        numbers: set[int] = set()
        for value in _listed(table[key]):
            found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(value))
            first = int(found[1]) if found else -1
            last = int(found[2] or found[1]) if found else -1
            if isinstance(value, bool) or not 0 <= first <= last <= most:
                text = f'{value!r} is no {key}: a number up to {most}, or a range "first-last"'
                raise self.wrong(rule, key, text)
            numbers.update(range(first, last + 1))
        return frozenset(numbers)

    def known(self, table: dict[str, Any], keys: Iterable[str], rule: str) -> None:
        for key in table:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                hint = f", did you mean {near[0]!r}?" if near else f": {', '.join(keys)} are known"
                raise self.wrong(rule, key, f"unknown key {key!r}{hint}")

    def wrong(self, rule: str, key: str, text: str) -> ConfigError:
        """An error in `key` of `rule`, with its line where that can be told."""
        header, line = "", 0
        for number, source in enumerate(self.text.splitlines(), 1):
            if found := re.match(r"\s*\[\s*(.+?)\s*\]", source):
                header = re.sub(r"\s*\.\s*", ".", found[1]).replace('"', "").replace("'", "")
                if rule and header == f"rule.{rule}":
                    line = number
            at_home = header == (f"rule.{rule}" if rule else "")
            if key and at_home and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[.=]""", source):
                line = number
                break
        where = f", line {line}" if line else ""
        what = f"rule {rule}: " if rule else ""
        return ConfigError(f"{self.name}{where}: {what}{text}")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def parse(text: str, name: str = "rules") -> Config:
    """Read the text of a rule file; `name` is for messages. Raises ConfigError."""
    return _Reader(text, name).config()


def load(path: str | os.PathLike[str]) -> Config:
    """Read a rule file. Raises ConfigError, with file and line where it can tell."""
    try:
        return parse(Path(path).read_text(encoding="utf-8"), os.fspath(path))
    except OSError as error:
        raise ConfigError(f"cannot read rules {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"cannot read rules {path}: not UTF-8 ({error.reason})") from None


# --------------------------------------------------------------------------- from rules to sets


def _wider_networks(network: Network) -> Iterator[Network]:
    """The network and all that contain it. Those of IPv4 end where the mapped addresses do."""
    length, address = network
    for bits in range(length, 95 if address >> 32 == V4 >> 32 and length >= 96 else -1, -1):
        yield bits, address >> 128 - bits << 128 - bits


def _wider_services(service: Service) -> Iterator[Service]:
    yield from (service, (service[0], ANY), (ANY, ANY))


class Table(NamedTuple):
    """A lookup table of firewall.c: how its keys are written, and how it falls back."""

    wider: Callable[[tuple[int, int]], Iterator[tuple[int, int]]]
    write: Callable[[tuple[int, int]], dict[str, Any]]
    read: Callable[[Any], tuple[int, int]]

    def find(self, sets: Sets, key: tuple[int, int]) -> int:
        """What a lookup of `key` in `sets` finds: the narrowest entry that holds for it."""
        return next((sets[k] for k in self.wider(key) if k in sets), 0)


_NETWORKS = Table(
    _wider_networks,
    lambda k: {"prefixlen": k[0], "address": {"bytes": k[1].to_bytes(16, "big")}},
    lambda k: (k["prefixlen"], int.from_bytes(bytes(k["address"]["bytes"]), "big")),
)
TABLES = {
    "sources": _NETWORKS,
    "destinations": _NETWORKS,
    "services": Table(
        _wider_services,
        lambda k: {"protocol": k[0], "port": k[1]},
        lambda k: (k["protocol"], k["port"]),
    ),
}


def _address_sets(conditions: Iterable[tuple[Network, ...] | None]) -> Sets:
    own: Sets = {(0, 0): 0, (96, V4): 0}
    anywhere = 0
    for number, networks in enumerate(conditions):
        if networks is None:
            anywhere |= 1 << number
        for network in networks or ():
            own[network] = own.get(network, 0) | 1 << number
    sets: Sets = {}
    for network in sorted(own):  # wide ones first: the others add to them
        sets[network] = own[network] | (_NETWORKS.find(sets, network) or anywhere)
    return sets


def _service_sets(rules: Iterable[Rule]) -> Sets:
    """Later fragments have no ports. Rules that let a port pass let them pass: without the first
    piece, which is judged by its ports, they are of no use to anyone. Rules that drop a port
    leave them alone, as they may belong to something else."""
    own: Sets = {(ANY, ANY): 0}
    for number, rule in enumerate(rules):
        for protocol in rule.protocols or (ANY,):
            fragments = {FRAGMENT} if rule.action == "pass" else set()
            for port in {ANY} if rule.ports is None else rule.ports | fragments:
                own.setdefault((protocol, ANY), 0)
                own[protocol, port] = own.get((protocol, port), 0) | 1 << number
    if len(own) > MAX_ENTRIES:
        text = f"the rules' ports come to {len(own)} entries, at most {MAX_ENTRIES} are possible"
        raise ConfigError(f"{text}: use fewer or smaller ranges")
    sets: Sets = {}
    for service in sorted(own, key=lambda k: (k[0] != ANY, k[1] != ANY)):
        sets[service] = own[service] | TABLES["services"].find(sets, service)
    return sets


def compile_sets(config: Config) -> dict[str, Sets]:
    """The contents of the three lookup tables."""
    return {
        "sources": _address_sets(rule.sources for rule in config.rules),
        "destinations": _address_sets(rule.destinations for rule in config.rules),
        "services": _service_sets(config.rules),
    }


# ---------------------------------------------------------------------------------- into the maps


def _compile_rules(config: Config, old: dict[str, int]) -> dict[int, tuple[str, int, int, int]]:
    """Rule number -> name, action, log, place in `hits`. Names that are in `old` keep theirs."""
    kept = {rule.name: old[rule.name] for rule in config.rules if rule.name in old}
    free = set(range(DEFAULT)) - set(kept.values())
    # Places that no rule counts in right now come first.
    places = iter(sorted(free, key=lambda place: (place in old.values(), place)))
    rules = {
        number: (rule.name, ACTIONS[rule.action], int(rule.log), kept.get(rule.name, -1))
        for number, rule in enumerate(config.rules)
    }
    for number, (name, action, log, place) in rules.items():
        rules[number] = (name, action, log, next(places) if place < 0 else place)
    rules[DEFAULT] = ("default", ACTIONS[config.default], int(config.log), DEFAULT)
    return rules


def _zero(value: Any) -> Any:
    """A counter like `value` (a per-CPU one is a list), at nought."""
    return [_zero(v) for v in value] if isinstance(value, list) else {"packets": 0, "bytes": 0}


def apply(maps: Maps, config: Config) -> Changes:
    """Bring the maps in line with `config`, changing only what differs.

    Packets meet the old rules until everything is written, then the new ones: there is nothing in
    between. When a map refuses (it is full, say), its error is passed on and the old rules stand.
    """
    bank = int(maps["bank_in_use"][0]) & 1
    spare = bank ^ 1
    present = {number: maps["rules"][number] for number in range(2 * RULES)}
    as_tuple = {n: (r["name"], r["action"], r["log"], r["hits"]) for n, r in present.items()}
    old = {n: as_tuple[bank * RULES + n] for n in range(RULES) if as_tuple[bank * RULES + n][1]}
    places = {name: place for name, _, _, place in old.values()}
    rules, wanted = _compile_rules(config, places), compile_sets(config)
    found = {
        name: {table.read(key): list(value["bank"]) for key, value in maps[name].items()}
        for name, table in TABLES.items()
    }
    if rules == old and all(
        wanted[name] == {key: banks[bank] for key, banks in found[name].items()} for name in TABLES
    ):
        return Changes(0, 0, 0)

    for name, _, _, place in rules.values():
        if name not in places:
            maps["hits"][place] = _zero(maps["hits"][place])
    for number in range(RULES):
        new, slot = rules.get(number, ("", 0, 0, 0)), spare * RULES + number
        if as_tuple[slot] != new:
            maps["rules"][slot] = dict(zip(("name", "action", "log", "hits"), new, strict=True))
    written = sum(
        _write(maps[name], table, wanted[name], found[name], bank) for name, table in TABLES.items()
    )
    maps["bank_in_use"][0] = spare
    time.sleep(GRACE)
    removed = 0
    for name, table in TABLES.items():
        for key in found[name].keys() - wanted[name].keys():
            del maps[name][table.write(key)]
            removed += 1
    changed = set(rules.values()) ^ set(old.values())
    return Changes(written, removed, len({name for name, *_ in changed}))


def _write(
    entries: MutableMapping[Any, Any], table: Table, wanted: Sets, found: dict[Any, Any], bank: int
) -> int:
    """Write the spare bank of one table, for entries that come, stay and go; returns how many.

    An entry that comes or goes must not be seen by the other bank: there it gets what a lookup
    finds without it.
    """
    before = {key: banks[bank] for key, banks in found.items()}
    changes = []
    for key in wanted.keys() | found.keys():
        banks = [table.find(before, key), table.find(wanted, key)]
        if bank:
            banks.reverse()
        if found.get(key) != banks:
            changes.append((table.write(key), {"bank": banks}))
    entries.update(changes)
    return len(changes)


class RuleFile:
    """A rule file that may change while the firewall runs."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = path
        self._seen: tuple[int, ...] | None = None

    def update(self, maps: Maps) -> Changes | None:
        """Apply the file if it is new or has changed since the last call, else return None.

        Raises ConfigError for a broken file, once: the rules that are in force stay so.
        """
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise ConfigError(f"cannot read rules {self.path}: {error.strerror}") from None
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen == self._seen:
            return None
        self._seen = seen
        return apply(maps, load(self.path))


# ------------------------------------------------------------------------------ for people to read


def _address(value: Any) -> str:
    address = IPv6Address(bytes(value["bytes"]))
    return str(address.ipv4_mapped or address)


def _endpoint(address: str, port: int) -> str:
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def tables(maps: Maps, top: int) -> list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]]:
    """What there is to show, as (title, columns, rows): the rules in order, the busiest sources."""
    first = (int(maps["bank_in_use"][0]) & 1) * RULES
    actions = {number: name for name, number in ACTIONS.items()}
    rules = []
    for slot in range(first, first + RULES):
        rule = maps["rules"][slot]
        if rule["action"]:
            hits = maps["hits"][rule["hits"]].sum()
            row = (rule["name"], actions[rule["action"]], hits["packets"], hits["bytes"])
            rules.append(row)
    sources = [(_address(k), v["packets"], v["bytes"]) for k, v in maps["top_sources"].items()]
    sources.sort(key=lambda row: (-row[1], row[0]))
    shown = min(top, len(sources))
    return [
        ("Rules, in order", ("rule", "action", "packets", "bytes"), rules),
        (f"Top {shown} of {len(sources):,} sources", ("source", "packets", "bytes"), sources[:top]),
    ]


def event_line(event: Any) -> str:
    """One line for an event of a packet that was dropped.

    rule bogons: tcp 198.18.3.103:4660 > 192.0.2.10:80, 54 bytes
    """
    flow = event["flow"]
    reason = event["reason"].name
    why = f"rule {event['rule']}" if event["rule"] else reason.lower().replace("_", " ")
    names = {number: name for name, number in PROTOCOLS.items()}
    what = names.get(flow["protocol"], f"protocol {flow['protocol']}")
    where = f" in VLAN {flow['vlan']}" if flow["vlan"] else ""
    length = f"{event['length']} bytes"
    if not any(flow["source"]["bytes"]):  # it was too broken to have addresses
        return f"{why}{where}: {length}"
    ports = (flow["source_port"], flow["destination_port"])
    if flow["protocol"] in WITH_TYPES:
        what, ports = f"{what} type {ports[1]}", (0, 0)
    if flow["fragment"]:
        what = f"{what} fragment"
    ends = [
        _endpoint(_address(flow[e]), p)
        for e, p in zip(("source", "destination"), ports, strict=True)
    ]
    return f"{why}{where}: {what} {' > '.join(ends)}, {length}"
