"""A part of `make corpus`: all that libbpf opens and loads of it, ebee does, with the same code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.corpus, pytest.mark.kernel]

SCRIPT = Path(__file__).parents[2] / "scripts" / "corpus.py"
PATTERNS = ("arena_*", "exceptions*", "struct_ops_*", "test_subprogs*", "linked_*", "xdp_*",
            "test_ksyms*", "core_*", "rbtree*", "test_global_func*")  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_ebee_does_what_libbpf_does(pattern: str) -> None:
    folder = os.environ.get("EBEE_CORPUS")
    if not folder:
        pytest.skip("EBEE_CORPUS names the folder where `make corpus` has left its objects")
    command = [sys.executable, SCRIPT, "--folder", folder, "--only", pattern, "--again", "ebee"]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    assert "0 differences to explain" in said, said
    equal = re.search(r"equal in (\d+) of (\d+) programs", said)
    assert equal, said
    assert equal[1] == equal[2], said
