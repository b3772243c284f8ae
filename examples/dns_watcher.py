"""DNS questions that pass by: an event for each, with the name that was asked for.

ebee run examples/dns_watcher.py --pcap examples/data/web.pcapng
a question for example.com: {source: 192.0.2.1, id: 4660, name: "example.com"}, PASS
"""

from typing import Literal

from ebee import (  # isort: skip
    ETH_IP, UDP, UDP_PROTOCOL, XDP, Ethernet, IPv4, RingBuf, XdpContext, array, be16, char,
    struct, u8, u16, u32, xdp,
)  # fmt: skip

NAME = 64


@struct
class Dns:
    id: be16
    flags: be16
    questions: be16
    answers: be16
    authorities: be16
    additional: be16


@struct
class Letter:
    value: u8


@struct
class Question:
    source: u32
    id: u16
    length: u16
    name: array[char, Literal[64]]


questions = RingBuf[Question](size=1 << 16)


@xdp
def dns_watcher(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != UDP_PROTOCOL:
        return XDP.PASS
    udp = packet.parse(UDP)
    if udp is None or udp.destination != 53:
        return XDP.PASS
    dns = packet.parse(Dns)
    if dns is None or dns.flags & 0x8000 != 0:
        return XDP.PASS
    with questions.reserve() as question:
        if question is None:
            return XDP.PASS
        question.source = ip.source
        question.id = dns.id
        question.length = 0
        left = u8(0)  # letters of a label that are still to come
        for i in range(NAME):
            question.name[i] = 0
        for i in range(NAME):
            letter = packet.take(Letter)
            if letter is None or (left == 0 and letter.value == 0):
                break
            symbol = letter.value
            if left == 0:
                left = letter.value & 63
                symbol = u8(46)  # a dot
            else:
                left -= 1
            if i > 0:
                question.name[i - 1] = symbol
                question.length = i
    print(f"DNS question {dns.id:x}")
    return XDP.PASS
