"""Infrared receivers: programs that decode pulses into key presses."""

from ebee.hooks import CtxField, Hook, Section
from ebee.hooks import helper_sets as sets
from ebee.hooks.numbers import ATTACH_TYPES as AT
from ebee.hooks.numbers import PROG_TYPES

HOOKS = (
    Hook(
        "lirc_mode2", PROG_TYPES["lirc_mode2"], "4.18",
        "Runs for each pulse and pause; the context is one u32 of LIRC_MODE2.",
        sections=(Section("lirc_mode2", AT["lirc_mode2"], optional=True),),
        fields=(CtxField("sample", 0, 4, narrow=False),),
        attach="lirc", helpers=sets.LIRC,
        missing={"machine": "the machine has no infrared receiver"},
    ),
)  # fmt: skip
