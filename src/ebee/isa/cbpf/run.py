"""The reference interpreter of classic BPF."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ebee.errors import AsmError
from ebee.isa.cbpf.table import (
    FORMS,
    LINK_BASE,
    NETWORK_BASE,
    SCRATCH_WORDS,
    Form,
    SockFilter,
    ancillary,
    check,
)
from ebee.isa.insn import U32
from ebee.isa.semantics import ALU, JUMP


class Skb(NamedTuple):
    """What a packet has besides its bytes.

    length          of the whole packet, when the bytes are only its beginning; None: of the bytes
    link, network   where these headers begin, counted from the packet's first byte; None: not known
    headroom        the bytes before the packet that a negative `link` or `network` reaches
    ifindex, hatype None: no device, then loading one ends the filter with what is in A
    payload_offset  where the payload begins, as the kernel's flow dissector finds it
    random          gives a number per load
    """

    length: int | None = None
    link: int | None = None
    network: int | None = None
    headroom: bytes = b""
    protocol: int = 0
    pkttype: int = 0
    ifindex: int | None = 0
    hatype: int | None = 0
    mark: int = 0
    queue: int = 0
    rxhash: int = 0
    cpu: int = 0
    vlan_tci: int = 0
    vlan_present: bool = False
    vlan_tpid: int = 0
    payload_offset: int = 0
    random: Callable[[], int] = lambda: 0


class _Return(Exception):
    """The filter ends here with a verdict."""


_FIELDS: dict[str, Callable[[Skb], int | None]] = {
    "proto": lambda skb: skb.protocol,
    "type": lambda skb: skb.pkttype,
    "ifidx": lambda skb: skb.ifindex,
    "mark": lambda skb: skb.mark,
    "queue": lambda skb: skb.queue,
    "hatype": lambda skb: skb.hatype,
    "rxhash": lambda skb: skb.rxhash,
    "cpu": lambda skb: skb.cpu,
    "vlan_tci": lambda skb: skb.vlan_tci,
    "vlanp": lambda skb: skb.vlan_present,
    "poff": lambda skb: skb.payload_offset,
    "rand": lambda skb: skb.random(),
    "vlan_tpid": lambda skb: skb.vlan_tpid,
}


def run(program: Sequence[SockFilter], packet: bytes, skb: Skb = Skb()) -> int:  # noqa: B008
    """The verdict of a filter: how many bytes of the packet to keep, 0 for none.

    A load outside the packet and a division by zero end the filter with 0. Raises AsmError for a
    filter that Linux would refuse.
    """
    if reason := check(program):
        raise AsmError(f"this filter cannot run: {reason}")
    machine = _Machine(packet, skb)
    at = 0
    try:
        while True:
            insn = program[at]
            at += 1 + machine.step(insn, FORMS[insn.code])
    except _Return as verdict:
        return int(verdict.args[0])


class _Machine:
    def __init__(self, packet: bytes, skb: Skb):
        self.packet, self.skb = packet, skb
        self.reg = {"a": 0, "x": 0}
        self.scratch = [0] * SCRATCH_WORDS

    def step(self, insn: SockFilter, form: Form) -> int:
        """Do one instruction; the distance that it jumps."""
        reg, k = self.reg, insn.k
        if form.kind == "jump":
            return self.jump(insn, form)
        if form.kind == "alu":
            self.alu(form, reg["x"] if form.source == "x" else k)
        elif form.kind == "packet":
            self.load(insn, form)
        elif form.kind == "store":
            self.scratch[k] = reg[form.register]
        elif form.kind == "return":
            raise _Return(k if form.register == "k" else reg["a"])
        elif form.kind == "move":
            reg["a"] = reg["x"] = reg["x" if form.operation == "txa" else "a"]
        elif form.kind == "len":
            length = self.skb.length
            reg[form.register] = len(self.packet) if length is None else length
        else:
            reg[form.register] = k if form.kind == "imm" else self.scratch[k]
        return 0

    def jump(self, insn: SockFilter, form: Form) -> int:
        if form.operation == "ja":
            return insn.k
        other = self.reg["x"] if form.source == "x" else insn.k
        return insn.jt if JUMP[32][form.operation](self.reg["a"], other) else insn.jf

    def alu(self, form: Form, operand: int) -> None:
        if form.operation in ("div", "mod") and not operand:
            raise _Return(0)
        self.reg["a"] = ALU[32][form.operation](self.reg["a"], operand)

    def load(self, insn: SockFilter, form: Form) -> None:
        if name := ancillary(insn):
            self.reg["a"] = self.ancillary(name)
        elif form.operation == "msh":
            self.reg["x"] = 4 * (self.data(insn.k, 1) & 15)
        else:
            base = self.reg["x"] if form.operation == "ind" else 0
            self.reg["a"] = self.data(base + insn.k & U32, form.size)

    def data(self, offset: int, size: int) -> int:
        """Bytes of the packet, as a number in network order."""
        data, at = self.packet, offset
        if offset >= 1 << 31:
            base = NETWORK_BASE if offset >= NETWORK_BASE else LINK_BASE
            header = self.skb.network if base == NETWORK_BASE else self.skb.link
            if header is None or offset < LINK_BASE:
                raise _Return(0)
            data = self.skb.headroom + self.packet
            at = len(self.skb.headroom) + header + offset - base
        if not 0 <= at <= len(data) - size:
            raise _Return(0)
        return int.from_bytes(data[at : at + size], "big")

    def ancillary(self, name: str) -> int:
        a, x = self.reg["a"], self.reg["x"]
        if name == "xor_x":
            return a ^ x
        if name in ("nla", "nlan"):
            return self.attribute(a, x, nested=name == "nlan")
        value = _FIELDS[name](self.skb)
        if value is None:
            raise _Return(a)
        return value & U32

    def attribute(self, start: int, kind: int, nested: bool) -> int:
        """Where the netlink attribute of that kind is, at or after `start`, or inside the one at
        `start`; 0 when it is not there. Attributes are in the byte order of the host: little."""
        data, end = self.packet, len(self.packet)
        if start > end - 4:
            return 0
        if nested:
            length = int.from_bytes(data[start : start + 2], "little")
            if not 4 <= length <= end - start:
                return 0
            start, end = start + 4, start + length
        while end - start >= 4:
            length = int.from_bytes(data[start : start + 2], "little")
            if not 4 <= length <= end - start:
                return 0
            if int.from_bytes(data[start + 2 : start + 4], "little") & 0x3FFF == kind:
                return start
            start += length + 3 & ~3
        return 0
