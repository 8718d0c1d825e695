"""The registry of controls: packaged entries are sound, wrong ones are refused field by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from monazite.core.errors import FactsError
from monazite.core.settings import data_folder
from monazite.facts.check import check_file
from monazite.facts.controls import controls, read_control

GOOD = """\
id = "CN-TOY-2025"
title = "An invented control"
by = "CHN"
announced = 2025-04-04
in_force = "2025-04-04"
status = "in_force"
base_year = 2024
chains = ["toy"]
targets = ["ALL"]
legal = "Notice 0 of an invented ministry"
hs = ["280530"]
source = "toy"
note = "invented"

[[path]]
commodity = "toy_metal"
target = ["USA", "EU27"]
kind = "assumed"
spill = true
caps = [0, 0.25, 0.8]
after = 1.3
cohorts = { c1 = [0.05], c4 = [0.9, 1] }

[[observed]]
what = "exports"
commodity = "toy_metal"
place = "CHN"
period = "2025-05"
value = 12
low = 10.0
high = 14.0
unit = "t/month"
source = "toy"
locator = "row 1"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "control.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_a_right_entry_is_read_in_one_form(file: Path) -> None:
    record = read_control(file)
    assert (record["announced"], record["in_force"], record["in_base_from"]) == (
        "2025-04-04",
        "2025-04-04",
        None,
    )
    (path,) = record["paths"]
    assert path["commodity"] == ["toy_metal"]
    assert path["target"] == ["USA", "EU27"]
    assert path["caps"] == [0.0, 0.25, 0.8]
    assert path["cohorts"] == {"c1": [0.05], "c4": [0.9, 1.0]}
    (point,) = record["observed"]
    assert (point["value"], point["partner"]) == (12.0, None)
    assert check_file(file) == []


WRONG = [
    ('id = "CN-TOY-2025"\n', "", "id", "is missing"),
    ('"CN-TOY-2025"', '"toy control"', "id", "is no id of a control"),
    ('by = "CHN"', 'by = "CNH"', "by", "did you mean 'CHN'"),
    ("announced = 2025-04-04", 'announced = "4 April 2025"', "announced", "is no day"),
    ('status = "in_force"', 'status = "inforce"', "status", "did you mean 'in_force'"),
    ("base_year = 2024", "base_year = 2025", "base_year", "already contains the control"),
    ("base_year = 2024", 'base_year = "2024"', "base_year", "is no year"),
    ('chains = ["toy"]', 'chains = ["toyy"]', "chains", "did you mean 'toy'"),
    ('targets = ["ALL"]', 'targets = ["Germny"]', "targets", "did you mean 'DEU'"),
    ('source = "toy"\nnote', 'source = "toi"\nnote', "source", "did you mean 'toy'"),
    ("note =", "nota =", "nota", "did you mean 'note'"),
    ('= "toy_metal"\ntarget', '= ["toy_metl"]\ntarget', "path[0].commodity", "did you mean 'toy_metal'"),
    ('"EU27"', '"EU28"', "path[0].target", "did you mean 'EU27'"),
    ('kind = "assumed"', 'kind = "asumed"', "path[0].kind", "did you mean 'assumed'"),
    ("spill = true", "spill = 1", "path[0].spill", "true or false"),
    ("0.25", "-0.25", "path[0].caps", "is no cap"),
    ("0.25", "25", "path[0].caps", "is no cap"),
    ("0.25", '"a"', "path[0].caps", "is no cap"),
    ("0.25", "nan", "path[0].caps", "is no cap"),
    ("caps = [0, 0.25, 0.8]", "caps = 0.5", "path[0].caps", "a list of monthly fractions"),
    ("after = 1.3\n", "", "path[0].after", "is missing"),
    ("c1 =", "c9 =", "path[0].cohorts", "unknown cohort"),
    ("[0.05]", "[5e3]", "path[0].cohorts.c1", "is no cap"),
    ("low = 10.0", "low = 13.0", "observed[0].low", "low 13.0 is above value 12.0"),
    ("value = 12", 'value = "12"', "observed[0].value", "is not a number"),
    ('unit = "t/month"', 'unit = "t/moth"', "observed[0].unit", "did you mean 't/month'"),
    ('period = "2025-05"', 'period = "May"', "observed[0].period", "is no period"),
    ('source = "toy"\nlocator', 'source = ""\nlocator', "observed[0].source", "is missing"),
]


@pytest.mark.parametrize(("old", "new", "field", "says"), WRONG)
def test_a_wrong_entry_names_the_field(file: Path, old: str, new: str, field: str, says: str) -> None:
    assert old in GOOD
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    found = [item for item in check_file(file) if item.column == field]
    assert any(says in item.message for item in found), check_file(file)
    with pytest.raises(FactsError) as caught:
        read_control(file)
    assert caught.value.exit_code == 4


def test_a_control_without_a_path_is_refused(file: Path) -> None:
    file.write_text(GOOD.split("[[path]]", maxsplit=1)[0], encoding="utf-8")
    assert [item.column for item in check_file(file)] == ["path"]


def test_the_packaged_registry_is_sound() -> None:
    files = list((data_folder() / "controls").glob("*.toml"))
    assert len(controls()) == len(files)
    assert {"CN-REE-APR2025", "CN-GAGE-2023"} <= set(controls())
    for name, record in controls().items():
        assert record["id"] == name
        assert record["base_year"] < int(record["in_force"][:4])
        assert any(path["kind"] == "assumed" for path in record["paths"])
        assert record["observed"], "what was seen stands beside what is computed"


def test_the_two_first_controls_are_those_of_the_legal_texts() -> None:
    april, gallium = controls()["CN-REE-APR2025"], controls()["CN-GAGE-2023"]
    assert (april["by"], april["in_force"][:7], april["base_year"]) == ("CHN", "2025-04", 2024)
    assert (gallium["by"], gallium["in_force"][:10], gallium["base_year"]) == ("CHN", "2023-08-01", 2022)
    named = {item for path in april["paths"] for item in path["commodity"]}
    assert {"sm_oxide", "gd_oxide", "tb_oxide", "dy_oxide", "lu_sc_oxide", "y_oxide"} <= named
    assert not named & {"la_oxide", "ce_oxide", "ndpr_oxide", "ho_yb_oxide"}
