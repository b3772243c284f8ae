"""Replaces one function of a program that runs: the packets of a packet filter are judged anew, and
the filter itself stays attached.

    ebee.linux.load(spec, targets={"verdict_plugin": filter}), then attach()
    `filter` has @func(separate=True) verdict(length: u32) -> u32; packets above 1000 bytes: DROP
"""

from ebee import XDP, Const, freplace, u32

largest: Const[u32] = 1000


@freplace("verdict")
def verdict_plugin(length: u32) -> u32:
    return u32(XDP.DROP) if length > largest else u32(XDP.PASS)
