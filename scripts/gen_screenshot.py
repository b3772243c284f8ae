"""Writes docs/live.svg: the live view over the capture of a flood.

python scripts/gen_screenshot.py
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from ebee.cli import view
from ebee.cli.run import run
from ebee.cli.session import Session

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "live.svg"
WORDS = (
    "run examples/firewall.py --pcap examples/data/flood.pcap.gz"
    " --config examples/firewall.toml --live --speed 0.02"
)
SIZE, SECONDS = (112, 30), 12


def picture(session: Session) -> None:
    """Look at a session for a while, then take the picture."""

    async def main() -> None:
        app = view.view_of(session)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause(SECONDS)
            await pilot.press("tab")
            await pilot.pause(1)
            TARGET.write_text(plain(app.export_screenshot(title="ebee run")))
        app.end()

    asyncio.run(main())


def plain(svg: str) -> str:
    """Without fonts from elsewhere, and as short as it may be."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;]*;", "font-family: monospace;", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


if __name__ == "__main__":
    os.chdir(ROOT)
    view.show = picture
    import ebee.cli.run as command

    command.wants_view = lambda options: True
    run.main(WORDS.split()[1:], standalone_mode=False)
