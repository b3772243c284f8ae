"""Mistakes of beginners: each with the text it is answered by, kept in bpf_errors.txt.

The file is program, error, program, error ...; `EBEE_GOLDEN=1` writes the errors anew.
"""

import os
import re
from pathlib import Path

import pytest

from ebee.errors import CompileError
from ebee.lang.bpf import build

pytestmark = pytest.mark.unit

GOLDEN = Path(__file__).with_name("bpf_errors.txt")
HEAD = """\
from ebee import *

@struct
class Key:
    source: u32
    port: u32

@struct
class Big:
    bytes: array[u8, 600]

@struct
class Half:
    bytes: array[u8, 300]

@struct
class Counter:
    packets: u64
    bytes: u64

flows = Hash[Key, Counter](max_entries=1024)
ports = Hash[u32, u64](max_entries=64)
halves = Hash[Half, u64](max_entries=2)
totals = Array[u64](max_entries=4)
events = RingBuf[Counter](size=4096)
limit = 5
counter: Global[u64] = 0
threshold: Const[u32] = 3

"""


def cases():
    parts = re.split(r"^=== (.*)\n", GOLDEN.read_text(), flags=re.M)
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        program, _, error = text.partition("\n---\n")
        yield title, program.rstrip("\n") + "\n", error.strip("\n")


def answer(program, folder):
    """What the compiler says of a program, lines counted from the program's own first."""
    file = folder / "prog.py"
    file.write_text(HEAD + program)
    with pytest.raises(CompileError) as raised:
        build.compile(file)
    own = HEAD.count("\n")
    text = str(raised.value).replace(f"{folder}/", "")
    return re.sub(r"^(prog\.py:)(\d+)", lambda m: f"{m[1]}{int(m[2]) - own}", text)


def test_golden_file_is_made_anew_on_request(tmp_path):
    if os.environ.get("EBEE_GOLDEN") != "1":
        pytest.skip("EBEE_GOLDEN=1 writes it")
    made = [f"=== {t}\n{p}\n---\n{answer(p, tmp_path)}\n\n" for t, p, _ in cases()]
    GOLDEN.write_text("".join(made))


@pytest.mark.parametrize(("title", "program", "error"), list(cases()))
def test_mistake(title, program, error, tmp_path):
    assert answer(program, tmp_path) == error
    assert "way out" in error or title == "syntax error"


def test_every_mistake_has_another_answer():
    errors = [error for _, _, error in cases()]
    assert len(set(errors)) == len(errors) >= 30
