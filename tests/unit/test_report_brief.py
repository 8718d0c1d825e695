"""A brief is one file that asks for nothing, says what is not known, and marks what is assumed."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from monazite.core.errors import ArgumentError, MonaziteError
from monazite.core.manifest import Manifest
from monazite.report import Brief, Finding, Section, build
from monazite.report.page import check_svg
from monazite.report.twin import twins
from monazite.views import View, chokepoint, ranking, sankey, timeline

GOLDEN = Path(__file__).parents[1] / "golden" / "views"
VOID = {"meta", "br", "hr", "img", "link", "input", "path", "rect", "line", "circle"}
EVIL = '<script>alert("x")</script>'


def read(name: str) -> pl.DataFrame:
    frame = pl.read_csv(GOLDEN / name, infer_schema_length=None)
    return frame.with_columns(pl.col("period").cast(pl.String)) if "period" in frame.columns else frame


@cache
def views() -> tuple[View, ...]:
    sources = pl.DataFrame({
        "source": ["usgs", "odd"], "citation": ["Survey, 2025, p. 144", "A page & more"],
        "url": ["https://example.org/a?b=1&c=2", "javascript:alert(1)"], "licence": ["public domain", None],
    })  # fmt: skip
    cover = pl.DataFrame({"measure": ["cover"], "place": ["IND"], "value": [0.2], "kind": ["modelled"]})
    return (
        chokepoint(read("chokepoint_input.csv"), sources=sources),
        timeline(read("timeline_input.csv"), read("timeline_observed.csv"), controls=[("2025-04", EVIL)]),
        sankey(read("sankey_input.csv"), chain="rare_earths"),
        ranking(cover, measure="cover"),
    )


def brief() -> Brief:
    return Brief(
        title="Magnets & gallium",
        subtitle=EVIL,
        findings=(
            Finding("Most of it rests on little.", kind="modelled", assumed_share=0.71, sources=("usgs",)),
            Finding(EVIL, kind="reported", assumed_share=0.2, sources=("usgs", "odd")),
        ),
        sections=tuple(Section(f"Section {number}", view) for number, view in enumerate(views())),
        unknown=("Nobody publishes it.", EVIL),
        manifest=Manifest.create(inputs=["x"], base_year=2024, method="brief/1"),
    )


class Reader(HTMLParser):
    """Elements with their attributes, checked for balance."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


@pytest.fixture(scope="module")
def page() -> str:
    return build(brief())


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return Reader(page)


def test_nothing_is_asked_for_outside_the_file(page: str, reader: Reader) -> None:
    assert not reader.all("script", "link", "img", "iframe", "object", "embed", "base")
    assert "@import" not in page
    assert "url(h" not in page
    for tag, attributes in reader.found:
        for name, value in attributes.items():
            assert not name.startswith("on"), tag
            if name in ("src", "srcset", "data", "action"):
                pytest.fail(f"{tag} {name}")
            if name.endswith("href") and value is not None and not value.startswith("#"):
                assert tag == "a"
                assert value.startswith("https://example.org/")


def test_links_lead_out_only_from_the_list_of_sources(page: str) -> None:
    before, _, listed = page.partition('<ol class="sources">')
    assert 'href="http' not in before
    assert 'href="https://example.org/a?b=1&amp;c=2"' in listed
    assert "javascript:" not in page


def test_no_id_stands_twice_and_every_inner_link_has_its_end(reader: Reader) -> None:
    ids = [attributes["id"] for _, attributes in reader.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    ends = {str(a["href"])[1:] for a in reader.all("a") if str(a["href"]).startswith("#")}
    named = {
        word
        for _, a in reader.found
        for key in ("aria-labelledby", "aria-describedby")
        for word in str(a.get(key) or "").split()
    }
    assert ends | named <= set(ids)


def test_text_is_never_markup(page: str) -> None:
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4


def test_headings_go_down_one_level_at_a_time(reader: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in reader.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_scopes_and_pictures_have_words(page: str, reader: Reader) -> None:
    assert len(reader.all("table")) == len(reader.all("caption")) >= 4
    assert all(a.get("scope") in ("col", "row", "rowgroup") for a in reader.all("th"))
    pictures = reader.all("svg")
    assert len(pictures) == 4
    assert all(a["role"] == "img" and a["aria-labelledby"] and a["aria-describedby"] for a in pictures)
    assert reader.all("html")[0]["lang"] == "en"


def test_a_headline_that_rests_on_more_than_half_assumed_says_so_in_grey(page: str) -> None:
    assert page.count('class="soft"') == 1
    assert "71\N{NO-BREAK SPACE}% of this figure rests on assumed or modelled inputs" in page


def test_each_figure_wears_its_kind(page: str) -> None:
    cells = re.findall(r'<td class="n">.*?</td>', page)
    figures = [cell for cell in cells if re.search(r"\d", cell)]
    bare = [cell for cell in figures if 'class="k ' not in cell]
    shares = [table for view in views() for table in twins(view) if "Share of the stage" in table.heads]
    assert len(bare) == sum(table.height for table in shares)  # a share of a stage has the kind of its flow
    assert '<span class="kind kind-reported">reported</span>' in page


def test_what_is_not_known_has_its_box(page: str) -> None:
    box = page.partition('class="unknown"')[2].partition("</section>")[0]
    assert "Nobody publishes it." in box


def test_sources_are_numbered_in_the_order_in_which_they_are_named(page: str) -> None:
    assert page.index('id="source-1"') < page.index('id="source-2"')
    assert "Survey, 2025, p. 144" in page.partition('id="source-1"')[2].partition("</li>")[0]


def test_the_same_brief_is_the_same_to_the_byte(page: str) -> None:
    assert build(brief()) == page


def test_a_brief_is_written_whole_or_not_at_all(tmp_path: Path, page: str) -> None:
    made = brief()
    file = made.to_file(tmp_path / "deep" / "brief.html")
    assert file.read_text(encoding="utf-8") == page
    with pytest.raises(ArgumentError, match=r"\.html"):
        made.to_file(tmp_path / "brief.docx")
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["brief.html"]


def test_the_summary_is_the_findings() -> None:
    assert brief().summary().splitlines() == ["Most of it rests on little.", EVIL]


def test_every_value_of_a_view_is_in_its_table() -> None:
    matrix, lines, links, _ = views()
    for view, filled in (
        (matrix, matrix.data.drop_nulls("value").height),
        (lines, lines.data.drop_nulls("value").height),
        (links, links.data.filter(pl.col("item") == "link").height),
    ):
        cells = [cell for table in twins(view) for _, rows in table.groups for row in rows for cell in row]
        assert sum(1 for cell in cells if cell.kind is not None) == filled


@pytest.mark.parametrize(
    "text",
    [
        "<svg><script>x</script></svg>",
        '<svg><a href="http://x"/></svg>',
        '<svg onload="x"/>',
        '<svg xmlns:x="http://www.w3.org/1999/xlink"><path x:href="http://x"/></svg>',
        '<svg><path fill="url(http://x)"/></svg>',
    ],
)
def test_a_picture_with_more_than_shapes_and_text_is_refused(text: str) -> None:
    with pytest.raises(MonaziteError):
        check_svg(text)


def test_a_share_of_assumed_inputs_is_a_share() -> None:
    with pytest.raises(ArgumentError):
        Finding("x", assumed_share=1.2)
