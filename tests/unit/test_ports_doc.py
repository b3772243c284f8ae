"""The table of ports of kernel selftests is what the ports are."""

import ast
import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "scripts" / "gen_ports.py"))
PORTS = GENERATOR["ports"]()

C = """\
/* a comment
 * of several lines */
int f(int x)
{
\treturn x; // one

}

SEC("tc")
long BPF_PROG(g, int y)
{
\tf(y);
}
"""
PYTHON = '''\
"""Follows the selftest s: what it is."""
import pytest

from ebee import xdp

pytestmark = pytest.mark.kernel
FOLLOWS = {"prog_tests/s.c": 1}
LIMIT = 5  # of both


@xdp
def program(ctx):
    """Said of it."""
    # why
    return LIMIT


@pytest.fixture
def made(port):

    return port()
'''


def test_the_table_is_up_to_date():
    assert GENERATOR["PAGE"].read_text() == GENERATOR["page"](), "run scripts/gen_ports.py"


def test_there_are_enough():
    assert len(PORTS) >= 20


@pytest.mark.parametrize("path", PORTS, ids=lambda p: p.stem)
def test_a_port_says_what_it_follows(path):
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    follows = ast.literal_eval(GENERATOR["said"](path, "FOLLOWS"))
    assert ast.literal_eval(GENERATOR["said"](path, "SINCE"))
    assert all(lines > 0 for lines in follows.values()), "run scripts/gen_ports.py --count"
    tests = [Path(key.partition(":")[0]).stem for key in follows if key.startswith("prog_tests/")]
    assert tests
    assert all(name in said for name in tests)
    programs, user = GENERATOR["python_lines"](path)
    assert programs > 0
    assert user > 0


def test_lines_of_c():
    assert GENERATOR["c_lines"](C, []) == 9
    assert GENERATOR["c_lines"](C, ["g"]) == 4
    with pytest.raises(SystemExit, match="no function h"):
        GENERATOR["c_lines"](C, ["h"])


def test_lines_of_python(tmp_path):
    path = tmp_path / "test_s.py"
    path.write_text(PYTHON)
    assert GENERATOR["python_lines"](path) == (5, 4)
