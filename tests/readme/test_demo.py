"""`make demo` runs, shows what it promises, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.readme

ROOT = Path(__file__).parents[2]


def namespaces() -> set[str]:
    """The network namespaces that demos have made."""
    place = Path("/run/netns")
    return {p.name for p in place.glob("ebee-demo-*")} if place.is_dir() else set()


def test_the_demo() -> None:
    with subprocess.Popen(
        [sys.executable, ROOT / "scripts" / "demo.py"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        text, _ = process.communicate(timeout=300)
    assert process.returncode == 0, text
    assert "def decide(flow: Flow, length: u32)" in text
    assert "firewall: accepted" in text
    assert "firewall on the machine, web.pcapng" in text
    assert text.count("packets/s\n") >= 2, "both engines"
    assert "XDP_DROP     5,000   270,000   91.8 %" in text
    if os.geteuid() == 0:
        assert text.count(": the same\n") == 2
        assert "tcp 80   pass  answered in" in text
        assert "tcp 22   drop  no answer" in text
        assert "rule blocklist: tcp 203.0.113.66:" in text
        assert "tcp 22   pass  answered in" in text
    else:
        assert "As root there is more" in text
    assert not {name for name in namespaces() if f"-{process.pid}-" in name}
