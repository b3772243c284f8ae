"""Helpers for decoders of infrared remote controls (drivers/media/rc/bpf-lirc.c)."""

from ebee.helpers import Helper

_NO_LIRC = {"machine": "needs an infrared receiver: the machine has none"}

HELPERS = (
    Helper(
        77, "rc_repeat", "ctx: ctx -> long", "4.18", "Report that the last key is still held.",
        gpl=True, missing=_NO_LIRC,
    ),
    Helper(
        78, "rc_keydown", "ctx: ctx, protocol: u32, scancode: u64, toggle: u32 -> long", "4.18",
        "Report a pressed key by protocol and scan code.", gpl=True, missing=_NO_LIRC,
    ),
    Helper(
        92, "rc_pointer_rel", "ctx: ctx, rel_x: i32, rel_y: i32 -> long", "5.0",
        "Report a movement of a pointer.", gpl=True, missing=_NO_LIRC,
    ),
)  # fmt: skip
