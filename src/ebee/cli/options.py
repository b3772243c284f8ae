"""Options and words that several commands have."""

import click

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document.")

WHICH_MAP = "MAP is a number, `id N`, `name NAME`, `pinned PATH` or a pin's path."
