"""`ebee map`: the kernel's maps."""

from __future__ import annotations

import click

from ebee.cli import map_elements, map_show
from ebee.cli.map_events import events


@click.group()
def map() -> None:
    """Maps of the kernel: list, look into, change, and the events that come through them."""


map.add_command(events)
map.add_command(events, "event_pipe")
map.add_command(map_show.show)
map.add_command(map_show.show, "list")
for command in (map_show.create, map_show.freeze, map_show.pin, *map_elements.COMMANDS):
    map.add_command(command)
