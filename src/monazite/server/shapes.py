"""The shapes of what goes over the wire, for the API's own description (OpenAPI) and its tests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["reported", "estimated", "derived", "modelled", "assumed"]


class Shape(BaseModel):
    """Base: nothing besides what is described."""

    model_config = ConfigDict(extra="forbid")


class Problem(Shape):
    """What is wrong, what kind of error it is, and the names that may have been meant."""

    message: str
    kind: str
    nearest: list[str]


class ErrorPage(Shape):
    """An error."""

    error: Problem


class Named(Shape):
    """A name and what a reader calls it."""

    name: str
    label: str


class Group(Named):
    """A group and its members of today."""

    members: list[str]


class Chain(Named):
    """A chain and its base years."""

    years: list[int]


class Thing(Named):
    """A commodity."""

    chain: str
    stage: str


class Use(Named):
    """An end use."""

    chain: str


class RegisteredControl(Shape):
    """A control of record."""

    id: str
    title: str
    by: str
    announced: str
    status: str
    paths: list[str]


class Start(Shape):
    """What the page must know before anything is asked."""

    version: str
    text: dict[str, str]
    places: list[Named]
    groups: list[Group]
    chains: list[Chain]
    things: list[Thing]
    uses: list[Use]
    controls: list[RegisteredControl]
    examples: dict[str, dict[str, Any]]


class Cell(BaseModel):
    """One figure or label; what it does not have is left out."""

    model_config = ConfigDict(extra="forbid")

    text: str
    within: str = ""
    kind: Kind | None = None
    blank: bool = False
    number: bool = False
    cell_id: str | None = None
    fact: int | None = None


class Rows(Shape):
    """Rows under one heading."""

    label: str
    rows: list[list[Cell]]


class KindKey(Shape):
    """The letter beside figures of a kind."""

    kind: Kind
    letter: str
    label: str


class Table(Shape):
    """A table; the first ``labels`` cells of a row are its heads."""

    caption: str
    heads: list[str]
    labels: int
    groups: list[Rows]
    key: list[KindKey]


class ViewPage(Shape):
    """One picture: its headline, notes, table twins, and where its forms lie."""

    name: str
    tab: str
    title: str
    sentence: str
    notes: list[str]
    tables: list[Table]
    links: dict[str, str]


class FindingPage(Shape):
    """One headline."""

    sentence: str
    kind: Kind | None
    kind_label: str | None
    assumed_share: float | None
    soft: str | None
    detail: str
    cell_id: str | None


class Why(Shape):
    """A cell worth explaining."""

    cell_id: str
    label: str
    cell: Cell


class Help(Shape):
    """What would help."""

    sentences: list[str]
    view: ViewPage | None


class Source(Shape):
    """A numbered source."""

    number: int
    source: str
    citation: str | None
    url: str | None
    published: str | None
    retrieved: str | None
    licence: str | None


class Row(Shape):
    """A name and its value."""

    name: str
    value: str


class AnswerPage(Shape):
    """An answer in reading order."""

    question: dict[str, Any]
    title: str
    findings: list[FindingPage]
    views: list[ViewPage]
    why: list[Why]
    help: Help | None
    sources: list[Source]
    manifest: list[Row]
    links: dict[str, str]


class Explanation(Shape):
    """Why a cell or fact is what it is."""

    title: str
    value: Cell
    value_kind: str | None
    grey: str | None
    formula: str
    paragraphs: list[str]
    tables: list[Table]
    sources: list[Source]


class RunPage(Shape):
    """How a run goes."""

    id: str
    kind: Literal["stress", "study", "brief"]
    title: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: int
    of: int
    seconds: float
    left: float | None
    rate: float | None
    step: str
    error: str | None
    page: str
    question: dict[str, Any]


class RunList(Shape):
    """The runs of this server, the latest first."""

    runs: list[RunPage]


class KindCount(Shape):
    """How many facts are of a kind."""

    kind: Kind
    label: str
    count: int


class ChainFacts(Chain):
    """A chain with the number of its facts by kind."""

    facts: int
    kinds: list[KindCount]


class DataPage(Shape):
    """What is packaged."""

    chains: list[ChainFacts]


class Choice(Named):
    """A value that facts have, and how many have it."""

    count: int


class FactsPage(Shape):
    """Some of the facts that match."""

    count: int
    offset: int
    limit: int
    chain: str
    year: int
    table: Table
    choices: dict[str, list[Choice]]
    links: dict[str, str]


class Sources(Shape):
    """The sources of all packaged chains."""

    sources: list[Source]


class Mistake(Shape):
    """One mistake in a facts table."""

    row: int | None
    column: str | None
    message: str


class CheckPage(Shape):
    """What a check of a facts table found."""

    rows: int
    problems: list[Mistake]
    sentence: str


class Recognised(Shape):
    """What a file was recognised as: format, publisher and vintage, source, name of the import."""

    format: str
    title: str
    published: str
    source: str
    vintage: str


class ImportCounts(Shape):
    """How many rows give facts, give flows, belong to no packaged chain, hold nothing, are refused."""

    facts: int
    trade: int
    other: int
    skipped: int
    refused: int


class ImportEffect(Named):
    """How many facts and flows of a file have an effect: new, changed, contradicts and others."""

    facts: int
    flows: int


class ImportPage(Shape):
    """What a file would do; nothing of it is written.

    ``problems`` are the first of ``problem_count``; where there is one the file is refused, and neither
    effects nor tables are there. ``command`` writes the import; it is empty where there is nothing to write.
    """

    file: str
    recognised: Recognised
    rows: int
    counts: ImportCounts
    sentence: str
    problems: list[Mistake]
    problem_count: int
    effects: list[ImportEffect]
    tables: list[Table]
    notes: list[str]
    sources: list[Source]
    command: str
