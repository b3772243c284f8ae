"""Netfilter: programs among the rules of the packet filter."""

from ebee.hooks import CtxField, Hook, Section
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

HOOKS = (
    Hook(
        "netfilter", PROG_TYPES["netfilter"], "6.4",
        "Runs at a netfilter hook with a priority; accepts or drops the packet.",
        sections=(Section("netfilter", AT["netfilter"]),),
        context="bpf_nf_ctx",
        fields=(
            CtxField("state", 0, 8, kind="btf", narrow=False),
            CtxField("skb", 8, 8, kind="btf", narrow=False),
        ),
        returns={"NF_DROP": 0, "NF_ACCEPT": 1}, result=(0, 1),
        attach="netfilter", helpers=sets.BASE,
        missing={"machine": "the machine has no socket buffers yet"},
    ),
)  # fmt: skip
