"""How things look in a notebook: well-formed HTML that shows what they hold."""

import doctest
from html.parser import HTMLParser
from pathlib import Path

import pytest

import ebee
from ebee.obj import display

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]


class Table(HTMLParser):
    """The cells of a page; an AssertionError where tags do not match."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


@pytest.fixture(params=["machine", pytest.param("linux", marks=pytest.mark.kernel)])
def firewall(request):
    with ebee.load(ROOT / "examples" / "firewall.py", on=request.param) as made:
        made.programs["firewall"].test_run(bytes(60))
        yield made


def test_maps(firewall) -> None:
    flow = firewall.maps["top_sources"]
    flow[{"bytes": bytes(15) + b"\x07"}] = {"packets": 12345, "bytes": 2}
    rows = Table(flow._repr_html_()).rows
    assert rows[0] == ["bytes", "packets", "bytes"]
    assert rows[1][1:] == ["12,345", "2"]
    verdicts = Table(firewall.maps["verdicts"]._repr_html_()).rows
    assert verdicts[0] == ["key", "packets", "bytes"]
    assert verdicts[3] == ["2", "1", "60"], "summed over CPUs"
    assert "sums over all CPUs" in firewall.maps["verdicts"]._repr_html_()
    assert "empty, of at most 65,536" in firewall.maps["services"]._repr_html_()
    rules = Table(firewall.maps["rules"]._repr_html_())
    assert len(rules.rows) == 1 + display.ROWS
    assert "events: ringbuf" in firewall.maps["events"]._repr_html_()


def test_objects(firewall) -> None:
    rows = Table(firewall._repr_html_()).rows
    assert ["firewall", "xdp"] in [row[:2] for row in rows]
    assert ["default_policy", "2", "constant"] in rows
    assert ["events_sent", "0", ""] in rows


def test_specs() -> None:
    spec = ebee.read(ROOT / "examples" / "firewall.py")
    rows = Table(spec._repr_html_()).rows
    assert ["firewall", "xdp", "xdp"] in [row[:3] for row in rows]
    assert ["sources", "lpm_trie", "20", "16", "65,536", "0x1"] in rows
    assert ["default_policy", "2", ".rodata"] in rows
    assert Table(spec.maps["rules"]._repr_html_()).rows[1][0] == "array"
    code = spec.programs["firewall"]._repr_html_()
    assert "packet = ctx.packet()" in code
    assert "more instructions" in code
    Table(code)


def test_what_is_shown_is_escaped() -> None:
    spec = ebee.ObjectSpec("<script>", license="<b>", warnings=["<i>&"])
    text = spec._repr_html_()
    assert "<script>" not in text
    assert "&lt;i&gt;&amp;" in text
    Table(text)


def test_examples_of_docstrings() -> None:
    assert doctest.testmod(display).failed == 0
