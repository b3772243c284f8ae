"""`ebee map`: the kernel's maps."""

from __future__ import annotations

import click

from ebee.cli.map_events import events


@click.group()
def map() -> None:
    """Maps of the kernel."""


map.add_command(events)
map.add_command(events, "event_pipe")
