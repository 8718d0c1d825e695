"""Questions as they come in: checked strictly, turned into what the verbs take."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_origin

from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from monazite.core.errors import ArgumentError, UnknownName
from monazite.core.text import say
from monazite.facts.places import inline, is_group, resolve
from monazite.market.scenario import Control, ExportControl
from monazite.stress import control_by_id
from monazite.views import words

__all__ = [
    "AssessQuestion",
    "BriefQuestion",
    "CellQuestion",
    "FactsQuestion",
    "RunQuestion",
    "StressQuestion",
    "StudyQuestion",
    "WrongType",
    "exact",
    "names",
    "whose",
]

_MOST = 60
#: how many scenarios a study may have: fewer say nothing, more are the command line's work
LEAST_SAMPLES, MOST_SAMPLES = 16, 2048


def _readable(text: str) -> str:
    """Refuse what no name holds: control characters and halves of characters."""
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF or ord(letter) == 127 for letter in text):
        raise ValueError(say("server.unreadable"))
    return text


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_readable)]
Names = Annotated[list[Name], Field(min_length=1, max_length=_MOST)]
Year = Annotated[int, Field(ge=1900, le=2200)]


class AssessQuestion(BaseModel):
    """How exposed a place or group is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Name = Field(description="Place (ISO 3166 alpha-3), group, or several parted by commas")
    chain: Annotated[tuple[Name, ...], Field(max_length=_MOST)] = Field((), description="Chains")
    commodity: Name | None = Field(None, description="Only this commodity")
    by: Name | None = Field(None, description="The state depended on; the leading one when absent")
    year: Year | None = Field(None, description="Base year; the latest when absent")

    def title(self) -> str:
        """Return the question as a sentence."""
        things = [words.commodity(self.commodity)] if self.commodity else [words.chain(c) for c in self.chain]
        thing = ", ".join(inline(name) for name in things) or say("server.every_chain")
        return say("server.title_assess", place=places_named(self.subject), thing=thing)


class CellQuestion(AssessQuestion):
    """Why a cell of the answer to a question is what it is."""

    cell: str = Field(pattern=r"^[0-9a-f]{12}$", description="A cell of the answer's table")

    def question(self) -> AssessQuestion:
        """Return the question that the cell answers."""
        return AssessQuestion(**self.model_dump(exclude={"cell"}))


class Restriction(BaseModel):
    """A restriction: one of record by its id, or one of the user's own."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    control: Name | None = Field(None, description="Id of a registered control")
    path: Literal["assumed", "observed"] | None = Field(None, description="Path of the registered control")
    by: Name | None = Field(None, description="The restricting state")
    on: Names | None = Field(None, description="Commodities, or chains for all that they trade")
    cut: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    months: Annotated[int, Field(ge=1, le=120)] | None = None
    start: Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")] | None = None
    kind: Literal["ban", "licence", "quota"] | None = None
    to: Name | None = Field(None, description="Whom it is aimed at; ALL when absent")
    group: Name | None = Field(None, description="Whose exposure is answered; everybody's when absent")
    chain: Names | None = None
    year: Year | None = None

    @model_validator(mode="after")
    def one_way(self) -> Restriction:
        """Refuse both a control of record and one's own, and neither."""
        own = {name for name in ("by", "on", "cut", "months", "start", "kind", "to")
               if getattr(self, name) is not None}  # fmt: skip
        if self.control is not None and own:
            raise ValueError(say("server.one_way", names=sorted(own)))
        if self.control is None and (self.by is None or not self.on):
            raise ValueError(say("server.needs_control"))
        if self.path is not None and self.control is None:
            raise ValueError(say("server.path_needs_control"))
        return self

    def shock(self) -> Control | ExportControl:
        """Return the control that is asked for."""
        if self.control is not None:
            return control_by_id(self.control, self.path or "assumed")
        return ExportControl(
            by=_one(str(self.by)),
            on=list(dict.fromkeys(self.on or ())),
            cut=1.0 if self.cut is None else self.cut,
            months=12 if self.months is None else self.months,
            start=self.start,
            to="ALL" if self.to in (None, "ALL") else names(str(self.to)),
            kind=self.kind or "ban",
        )

    def named(self) -> dict[str, Any]:
        """Return the parts of a restriction of one's own as a sentence has them."""
        shock = self.shock()
        return {
            "state": words.place(shock.by),
            "thing": ", ".join(inline(_thing(name)) for name in shock.on),
            "cut": round(100 * (1.0 if self.cut is None else self.cut)),
            "months": 12 if self.months is None else self.months,
        }


class StressQuestion(Restriction):
    """What a restriction does, month by month."""

    horizon: Annotated[int, Field(ge=1, le=120)] = 24
    belief: Annotated[int, Field(ge=1, le=120)] | Literal["foresight"] = 2

    def asked(self) -> dict[str, Any]:
        """Return what was given, in the words of the page's URL."""
        given = self.model_dump(exclude_none=True)
        usual = {"horizon": 24, "belief": 2}
        return {name: value for name, value in given.items() if usual.get(name) != value}

    def title(self) -> str:
        """Return the question as a sentence."""
        if self.control is not None:
            return say("server.title_control", control=control_by_id(self.control).title)
        return say("server.title_stress", **self.named())


class StudyQuestion(Restriction):
    """What would change the answer about a restriction: what is uncertain is drawn anew in each scenario."""

    samples: Annotated[int, Field(ge=LEAST_SAMPLES, le=MOST_SAMPLES)] = Field(description="Scenarios")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="Seed of the draws")
    horizon: Annotated[int, Field(ge=1, le=36)] = Field(12, description="Months of the window, seen as one")
    headline: Literal["unserved", "price"] = Field("unserved", description="What the headline is of")

    def asked(self) -> dict[str, Any]:
        """Return what was given, in the words of the page's URL."""
        given = self.model_dump(exclude_none=True)
        usual = {"seed": 0, "horizon": 12, "headline": "unserved"}
        return {name: value for name, value in given.items() if usual.get(name) != value}

    def title(self) -> str:
        """Return the question as a sentence."""
        if self.control is not None:
            return say("server.title_study_control", control=control_by_id(self.control).title)
        return say("server.title_study", **self.named())


class BriefQuestion(BaseModel):
    """The report for some places."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    brief: Annotated[list[Name], Field(min_length=1, max_length=12)]

    def title(self) -> str:
        """Return what the brief is about as a sentence."""
        return say("server.title_brief", places=places_named(",".join(self.brief)))


def _which(body: Any) -> str:
    given = body if isinstance(body, dict) else {}
    return "brief" if "brief" in given else "study" if "samples" in given else "stress"


#: a body is told by what it names: a brief by ``brief``, a study by ``samples``, else a restriction
RunQuestion = Annotated[
    Annotated[StressQuestion, Tag("stress")]
    | Annotated[StudyQuestion, Tag("study")]
    | Annotated[BriefQuestion, Tag("brief")],
    Discriminator(_which),
]


class FactsQuestion(BaseModel):
    """Which facts are wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chain: Name | None = Field(None, description="Chain; the first one when absent")
    year: Year | None = Field(None, description="Base year; the latest when absent")
    variable: Name | None = None
    commodity: Name | None = None
    activity: Name | None = None
    place: Name | None = None
    kind: Name | None = None
    source: Name | None = None
    text: Name | None = Field(None, description="Text that a fact's words must hold")
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class WrongType(ArgumentError):
    """The body is of another type than asked for."""


def exact(request: Request) -> None:
    """Refuse a parameter that the path does not have, and one that is given twice: neither is passed over.

    Raises
    ------
    UnknownName, ArgumentError
        Such a parameter.
    """
    known = _parameters(request)
    given = [name for name, _ in request.query_params.multi_items()]
    for name in dict.fromkeys(given):
        if name not in known:
            shown = name[:200]
            raise (
                UnknownName("parameter", shown, known)
                if known
                else ArgumentError("server.no_parameter", name=shown)
            )
        if not known[name] and given.count(name) > 1:
            raise ArgumentError("server.given_twice", name=name)


def _parameters(request: Request) -> dict[str, bool]:
    """Return the parameters of the path that a request is for, and whether each is a list."""
    found: dict[str, bool] = {}
    for field in request.scope["route"].dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= {name: get_origin(item.annotation) is tuple for name, item in kind.model_fields.items()}
        else:
            found[field.alias] = False
    return found


def _one(text: str) -> str:
    """Read the name of one state."""
    found = names(text)
    if len(found) > 1:
        raise ArgumentError("assess.one_state", given=text)
    return found[0]


def names(text: str) -> list[str]:
    """Read names parted by commas.

    Examples
    --------
    >>> names("IND, USA,")
    ['IND', 'USA']
    """
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise ArgumentError("error.group_empty")
    return found


def whose(text: str) -> list[str] | str:
    """Read a place, a group, or several, refusing what is not known.

    Examples
    --------
    >>> whose("QUAD"), whose("IND,USA")
    ('QUAD', ['IND', 'USA'])
    """
    found = names(text)
    resolve(found)
    return found[0] if len(found) == 1 else found


def places_named(text: str) -> str:
    """Name places and groups for a reader; what is not known keeps its name, the verb will refuse it.

    Examples
    --------
    >>> places_named("QUAD"), places_named("IND,USA")
    ('the Quad', 'India, United States')
    """
    found = names(text)
    shown = [words.place(name.upper()) if len(name) <= 4 else name for name in found]
    shown = [say("server.group", name=name) if is_group(code.upper()) else name
             for name, code in zip(shown, found, strict=True)]  # fmt: skip
    return ", ".join(shown)


def _thing(name: str) -> str:
    from monazite.facts import chains

    return words.chain(name) if name in chains() else words.commodity(name)
