"""An XDP firewall: firewall.c in Python, with the same maps, rules and verdicts.

Every packet is taken apart down to its five-tuple, and the rules of firewall.toml say whether it
may pass. The first rule that matches decides. The question is turned round: three lookups tell
*which* rules match, each of them as a set with one bit per rule,

      by source address         longest prefix
    & by destination address    longest prefix
    & by protocol and port      hash

and the lowest bit that is in all three is the rule. Every set exists twice, in two banks; new rules
go into the bank that is not in use, then one store to `bank_in_use` switches over.

    ebee run examples/firewall.py --pcap examples/data/web.pcapng --config examples/firewall.toml
"""

from enum import IntEnum
from typing import Literal

from ebee import (  # isort: skip
    AUTHENTICATION, DESTINATION, ETH_IP, ETH_IPV6, ETH_QINQ, ETH_VLAN, FRAGMENT_HEADER,
    HOP_BY_HOP, ICMP, ICMP_PROTOCOL, ICMPV6_PROTOCOL, ROUTING, TCP, TCP_PROTOCOL, UDP,
    UDP_PROTOCOL, XDP, Array, Const, Ethernet, Global, Hash, IPv4, IPv6, IPv6Extension, LpmTrie,
    LruHash, Packet, PerCpuArray, RingBuf, Vlan, XdpContext, array, atomic_add, bpf, char, func,
    struct, u8, u16, u32, u64, xdp, zero,
)  # fmt: skip

LICENSE = "Apache-2.0"

RULES = 64  # bits in a set
DEFAULT = RULES - 1  # the last rule matches everything: it is the default policy
ANY = 0x10000  # in a service: any protocol, any port
FRAGMENT = 0x10001  # instead of a port: the ports went with the packet's first piece
NO_PREALLOC = 1
EXTENSIONS = (HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, AUTHENTICATION, DESTINATION)

# Set before loading: what becomes of packets as long as no rules have been loaded.
default_policy: Const[u32] = XDP.PASS

# Events that were handed over, and those that found the ring buffer full.
events_sent: Global[u64] = 0
events_lost: Global[u64] = 0


@struct
class Address:
    """IPv6, or IPv4 mapped to it (::ffff:192.0.2.1): all code and all maps know only one kind."""

    bytes: array[u8, Literal[16]]


@struct
class Network:
    prefixlen: u32
    address: Address


@struct
class Service:
    protocol: u32
    port: u32  # ICMP, ICMPv6: the type


@struct
class Ruleset:
    bank: array[u64, Literal[2]]


@struct
class Rule:
    name: array[char, Literal[24]]
    action: u32  # XDP.PASS or XDP.DROP
    log: u32  # send an event for each packet it drops
    hits: u32  # its place in `hits`, which it keeps when other rules come and go


@struct
class Counter:
    packets: u64
    bytes: u64


@struct
class Flow:
    source: Address
    destination: Address
    source_port: u16  # 0 where there are none; ICMP: 0 and type
    destination_port: u16
    vlan: u16  # of the innermost tag
    protocol: u8
    fragment: u8  # not the first piece of its packet


class Reason(IntEnum):
    """Who decides about a packet, or what is wrong with it."""

    BY_RULE = 0
    BY_DEFAULT = 1
    NOT_IP = 2
    MALFORMED = 3
    TOO_DEEP = 4


@struct
class Event:
    time: u64  # nanoseconds since boot
    flow: Flow
    reason: Reason
    length: u32  # of the frame, in bytes
    rule: array[char, Literal[24]]  # the one that dropped it, if it was one


sources = LpmTrie[Network, Ruleset](max_entries=65536)
destinations = LpmTrie[Network, Ruleset](max_entries=65536)
services = Hash[Service, Ruleset](max_entries=65536, flags=NO_PREALLOC)
rules = Array[Rule](max_entries=2 * RULES)
bank_in_use = Array[u32](max_entries=1)
hits = PerCpuArray[Counter](max_entries=RULES)
verdicts = PerCpuArray[Counter](max_entries=len(XDP))
top_sources = LruHash[Address, Counter](max_entries=16384)
events = RingBuf[Event](size=1 << 20)


# --- taking packets apart ------------------------------------------------------------------------


@func
def parse_transport(packet: Packet, flow: Flow) -> Reason:
    if flow.protocol == TCP_PROTOCOL:
        tcp = packet.parse(TCP)
        if tcp is None:
            return Reason.MALFORMED
        flow.source_port = tcp.source
        flow.destination_port = tcp.destination
    elif flow.protocol == UDP_PROTOCOL:
        udp = packet.parse(UDP)
        if udp is None:
            return Reason.MALFORMED
        flow.source_port = udp.source
        flow.destination_port = udp.destination
    elif flow.protocol in (ICMP_PROTOCOL, ICMPV6_PROTOCOL):
        icmp = packet.parse(ICMP)
        if icmp is None:
            return Reason.MALFORMED
        flow.destination_port = icmp.type
    return Reason.BY_RULE


@func
def map_address(to: Address, address: u32) -> None:
    to.bytes[10] = 0xFF
    to.bytes[11] = 0xFF
    to.bytes[12] = address >> 24
    to.bytes[13] = address >> 16
    to.bytes[14] = address >> 8
    to.bytes[15] = address


@func
def parse_ipv4(packet: Packet, flow: Flow) -> Reason:
    ip = packet.parse(IPv4)
    if ip is None:
        return Reason.MALFORMED
    map_address(flow.source, ip.source)
    map_address(flow.destination, ip.destination)
    flow.protocol = ip.protocol
    if ip.flags_offset & 0x1FFF != 0:
        flow.fragment = 1
        return Reason.BY_RULE
    return parse_transport(packet, flow)


@func
def parse_ipv6(packet: Packet, flow: Flow) -> Reason:
    ip = packet.parse(IPv6)
    if ip is None:
        return Reason.MALFORMED
    flow.source.bytes = ip.source
    flow.destination.bytes = ip.destination
    flow.protocol = ip.next_header
    for _ in range(7):  # up to six extension headers
        kind = flow.protocol
        if kind not in EXTENSIONS:
            return parse_transport(packet, flow)
        start = packet.at
        extension = packet.take(IPv6Extension)
        if extension is None:
            return Reason.MALFORMED
        flow.protocol = extension.next_header
        if kind == FRAGMENT_HEADER:
            if extension.offset & 0xFFF8 != 0:
                flow.fragment = 1
                return Reason.BY_RULE
            continue
        # Once more, whole: AH counts in words, all others in eights.
        packet.at = start
        length = u32(extension.length)
        if not packet.skip((length + 2) * 4 if kind == AUTHENTICATION else (length + 1) * 8):
            return Reason.MALFORMED
    return Reason.TOO_DEEP


@func
def parse(packet: Packet, flow: Flow) -> Reason:
    ethernet = packet.parse(Ethernet)
    if ethernet is None:
        return Reason.MALFORMED
    kind = ethernet.type
    for _ in range(3):  # up to two tags: 802.1Q, or 802.1ad around 802.1Q (QinQ)
        if kind == ETH_IP:
            return parse_ipv4(packet, flow)
        if kind == ETH_IPV6:
            return parse_ipv6(packet, flow)
        if kind not in (ETH_VLAN, ETH_QINQ):
            return Reason.NOT_IP
        tag = packet.parse(Vlan)
        if tag is None:
            return Reason.MALFORMED
        flow.vlan = tag.tci & 0xFFF
        kind = tag.type
    return Reason.TOO_DEEP


# --- deciding and counting -----------------------------------------------------------------------


@func
def rules_for_address(table: LpmTrie[Network, Ruleset], address: Address, bank: u32) -> u64:
    found = table.lookup(Network(prefixlen=128, address=address))
    return u64(0) if found is None else found.bank[bank & 1]


@func
def rules_for_service(flow: Flow, bank: u32) -> u64:
    """From the particular to the general: this port, any port of the protocol, any protocol."""
    port = u32(FRAGMENT) if flow.fragment else u32(flow.destination_port)
    key = Service(protocol=flow.protocol, port=port)
    found = services.lookup(key)
    if found is None:
        key.port = ANY
        found = services.lookup(key)
    if found is None:
        key.protocol = ANY
        found = services.lookup(key)
    return u64(0) if found is None else found.bank[bank & 1]


@func
def first_of(rules: u64) -> u32:
    """The number of the lowest bit of a set that is not empty."""
    at = u32(0)
    if not rules & 0xFFFFFFFF:
        rules >>= 32
        at += 32
    if not rules & 0xFFFF:
        rules >>= 16
        at += 16
    if not rules & 0xFF:
        rules >>= 8
        at += 8
    if not rules & 0xF:
        rules >>= 4
        at += 4
    if not rules & 0x3:
        rules >>= 2
        at += 2
    if not rules & 0x1:
        at += 1
    return at


@func
def count(counters: PerCpuArray[Counter], index: u32, length: u32) -> None:
    counter = counters.lookup(index)
    if counter is not None:  # this CPU's own
        counter.packets += 1
        counter.bytes += length


@func
def count_source(source: Address, length: u32) -> None:
    counter = top_sources.lookup(source)
    if counter is None:
        top_sources[source] = Counter(packets=1, bytes=length)
    else:  # shared by all CPUs
        atomic_add(counter.packets, 1)
        atomic_add(counter.bytes, length)


@func
def tell(flow: Flow, reason: Reason, length: u32, rule: Rule | None) -> None:
    with events.reserve() as event:
        if event is None:
            atomic_add(events_lost, 1)
            return
        event.time = bpf.ktime_get_ns()
        event.flow = flow
        event.reason = reason
        event.length = length
        if rule is not None:
            event.rule = rule.name
        else:
            for i in range(24):
                event.rule[i] = 0
    atomic_add(events_sent, 1)


@func
def decide(flow: Flow, length: u32) -> u32:
    in_use = bank_in_use.lookup(0)
    bank = u32(0) if in_use is None else in_use[0] & 1
    matching = (
        rules_for_address(sources, flow.source, bank)
        & rules_for_address(destinations, flow.destination, bank)
        & rules_for_service(flow, bank)
    )
    number = first_of(matching | 1 << DEFAULT)
    rule = rules.lookup(bank * RULES + number)
    if rule is None or not rule.action:  # no rules have been loaded yet
        return u32(default_policy)
    count(hits, rule.hits, length)
    if rule.action == XDP.DROP and rule.log:
        tell(flow, Reason.BY_DEFAULT if number == DEFAULT else Reason.BY_RULE, length, rule)
    return u32(rule.action)


@xdp
def firewall(ctx: XdpContext) -> u32:
    packet = ctx.packet()
    length = packet.remaining()
    verdict = u32(XDP.PASS)
    flow = zero(Flow)
    reason = parse(packet, flow)
    if reason == Reason.BY_RULE:
        count_source(flow.source, length)
        verdict = decide(flow, length)
    elif reason != Reason.NOT_IP:  # ARP and its like pass: without them there is no network
        tell(flow, reason, length, None)
        verdict = u32(XDP.DROP)
    count(verdicts, verdict, length)
    return verdict
