"""Traffic control: programs for packets that a device receives or sends, as socket buffers."""

from ebee.hooks import Hook, Section, skb
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

_NO_SKB = {"machine": "the machine has no socket buffers yet"}
_FIELDS = skb.fields(
    more="mark tc_classid data data_end data_meta tstamp wire_len tstamp_type hwtstamp",
    write="mark queue_mapping priority tc_index cb tc_classid tstamp",
)
_ACTIONS = {
    "TC_ACT_UNSPEC": -1, "TC_ACT_OK": 0, "TC_ACT_RECLASSIFY": 1, "TC_ACT_SHOT": 2,
    "TC_ACT_PIPE": 3, "TC_ACT_STOLEN": 4, "TC_ACT_QUEUED": 5, "TC_ACT_REPEAT": 6,
    "TC_ACT_REDIRECT": 7, "TC_ACT_TRAP": 8,
}  # fmt: skip
_NEXT = {"NEXT": -1, "PASS": 0, "DROP": 2, "REDIRECT": 7}


def _hook(name: str, kind: str, since: str, doc: str, attach: str, *sections: Section) -> Hook:
    returns = {f"{name.upper()}_{k}": v for k, v in _NEXT.items()}
    return Hook(
        name, PROG_TYPES[kind], since, doc, sections, "__sk_buff", _FIELDS,
        returns=_ACTIONS if attach == "tc" else returns,
        attach=attach, helpers=sets.TC, missing=_NO_SKB,
    )  # fmt: skip


HOOKS = (
    _hook(
        "tc", "sched_cls", "4.1", "A classifier of a queueing discipline, usually clsact.", "tc",
        Section("tc"), Section("classifier"),
    ),
    _hook(
        "tcx", "sched_cls", "6.6",
        "Programs at a device's ingress or egress, in an order of their own, without a qdisc.",
        "netdev",
        Section("tc/ingress", AT["tcx_ingress"]), Section("tc/egress", AT["tcx_egress"]),
        Section("tcx/ingress", AT["tcx_ingress"]), Section("tcx/egress", AT["tcx_egress"]),
    ),
    _hook(
        "netkit", "sched_cls", "6.7", "The end of a netkit device pair.", "netkit",
        Section("netkit/primary", AT["netkit_primary"]),
        Section("netkit/peer", AT["netkit_peer"]),
    ),
    _hook("tc_action", "sched_act", "4.1", "An action of a classifier.", "tc", Section("action")),
)  # fmt: skip
