"""Classic BPF, the language of tcpdump and SO_ATTACH_FILTER: decode, text, check, run, translate.

from ebee.isa import cbpf
program = cbpf.parse("ldh [12]\njne #0x800, drop\nret #-1\ndrop: ret #0")
cbpf.check(program)             # None, or why Linux would refuse it
cbpf.run(program, packet)       # bytes to keep, 0: drop
cbpf.to_ebpf(program)           # eBPF instructions for a socket filter
cbpf.dump(program)              # as tcpdump -d; also dump_asm, dump_c, dump_decimal
"""

from ebee.isa.cbpf.run import Skb, run
from ebee.isa.cbpf.table import FORMS, SockFilter, ancillary, check, decode, encode
from ebee.isa.cbpf.text import dump, dump_asm, dump_c, dump_decimal, parse
from ebee.isa.cbpf.translate import Target, to_ebpf, to_ebpf_text

__all__ = [
    "FORMS",
    "Skb",
    "SockFilter",
    "Target",
    "ancillary",
    "check",
    "decode",
    "dump",
    "dump_asm",
    "dump_c",
    "dump_decimal",
    "encode",
    "parse",
    "run",
    "to_ebpf",
    "to_ebpf_text",
]
