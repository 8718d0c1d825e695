"""Bad input gives one clear message, the nearest right name and the right exit code; nothing is written."""

from __future__ import annotations

import pytest

#: words of the command line, exit code, what the message must say
WRONG = [
    # names
    (["assess", "INDD"], 2, ["INDD", "IND"]),
    (["assess", "QUADD"], 2, ["QUADD", "QUAD"]),
    (["assess", "IND", "--chain", "galium"], 2, ["galium", "gallium"]),
    (["assess", "IND", "--chain", "rare_earths", "--stage", "refin"], 2, ["refin", "refine"]),
    (["assess", "IND", "--chain", "rare_earths", "--commodity", "dy_oxid"], 2, ["dy_oxid", "dy_oxide"]),
    (
        ["assess", "IND", "--chain", "rare_earths", "--measure", "tuch_share"],
        2,
        ["tuch_share", "touch_share"],
    ),
    (["assess", "IND", "--chain", "rare_earths", "--by", "CHNN"], 2, ["CHNN", "CHN"]),
    (["assess", "USA,INDD"], 2, ["INDD", "IND"]),
    (["stress", "--by", "CHN", "--on", "galium_4n"], 2, ["galium_4n", "gallium_4n"]),
    (["stress", "--by", "CHNN", "--on", "dy_oxide"], 2, ["CHNN", "CHN"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--group", "QAUD"], 2, ["QAUD", "QUAD"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--target", "JPNN"], 2, ["JPNN", "JPN"]),
    (["stress", "--control", "CN-REE-APR2026"], 2, ["CN-REE-APR2026", "CN-REE-APR2025"]),
    (["brief", "INDD"], 2, ["INDD", "IND"]),
    (["asess", "IND"], 2, ["asess", "assess"]),
    (["assess", "IND", "--comodity", "dy_oxide"], 2, ["--comodity", "--commodity"]),
    # numbers
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--cut", "2"], 2, ["cut", "0 and 1"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--cut", "-0.1"], 2, ["cut", "0 and 1"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--cut", "nan"], 2, ["cut"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--cut", "half"], 2, ["cut"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--months", "0"], 2, ["months"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--months", "-3"], 2, ["months"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--horizon", "0"], 2, ["horizon"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--belief", "0"], 2, ["belief"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--belief", "long"], 2, ["belief"]),
    # months
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--start", "2025-13"], 2, ["start", "2025-13"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--start", "spring"], 2, ["start", "spring"]),
    # groups
    (["assess", ""], 2, ["group is empty"]),
    (["assess", " , "], 2, ["group is empty"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--group", ""], 2, ["group is empty"]),
    # what does not go together
    (["stress"], 2, ["--control", "--by"]),
    (["stress", "--by", "CHN"], 2, ["--on"]),
    (["stress", "--control", "CN-REE-APR2025", "--cut", "1"], 2, ["--cut"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--path", "observed"], 2, ["--path", "--control"]),
    (["stress", "--control", "CN-REE-APR2025", "--path", "observd"], 2, ["observd", "observed"]),
    (["stress", "--by", "CHN", "--on", "dy_oxide", "--kind", "quotta"], 2, ["quotta", "quota"]),
    (["stress", "--file", "no-such-control.toml"], 2, ["no-such-control.toml"]),
    (["stress", "--control", "CN-REE-APR2025", "--file", "mine.toml"], 2, ["--control", "--file"]),
    (["assess", "IND", "--json", "--csv"], 2, ["--json", "--csv"]),
    (["assess", "IND", "--to", "answer.docx"], 2, ["answer.docx", "csv"]),
    (["brief", "IND", "--to", "answer.docx"], 2, ["answer.docx", "html"]),
    (["brief"], 2, ["PLACE"]),
    (["assess", "IND", "--fail-above", "0.5"], 2, ["--measure"]),
    (["data", "check", "no-such-file.csv"], 2, ["no-such-file.csv"]),
    (["data", "show", "--chain", "rare_earths", "--variable", "outptu"], 2, ["outptu", "output"]),
    # what the facts do not carry
    (["assess", "IND", "--chain", "rare_earths", "--year", "1850"], 4, ["1850"]),
    (["stress", "--control", "CN-GAGE-2023", "--year", "2024"], 4, ["CN-GAGE-2023", "2024"]),
]


@pytest.mark.parametrize(("words", "code", "says"), WRONG, ids=[" ".join(case[0]) or "-" for case in WRONG])
def test_refused_with_a_clear_message(monkeypatch, capsys, empty, words, code, says) -> None:
    from monazite import cli

    monkeypatch.chdir(empty)
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    said = capsys.readouterr()
    assert (left.value.code, said.out) == (code, ""), said.err
    assert "Traceback" not in said.err
    for part in says:
        assert part in said.err


@pytest.mark.parametrize(
    "words", [["assess", "INDD"], ["stress", "--by", "CHN", "--on", "dy_oxide", "--cut", "2"]]
)
def test_a_process_of_its_own_refuses_alike(monazite, empty, words) -> None:
    done = monazite(*words, cwd=empty)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_an_unexpected_error_is_one_line_and_debug_shows_its_trace(monkeypatch, capsys) -> None:
    from monazite import cli
    from monazite.cli import app

    def broken(**_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(app, "app", broken)
    with pytest.raises(SystemExit) as left:
        cli.main(["assess", "IND"])
    said = capsys.readouterr()
    assert (left.value.code, said.out) == (1, "")
    assert said.err.count("\n") == 1
    assert "--debug" in said.err
    with pytest.raises(RuntimeError):
        cli.main(["assess", "IND", "--debug"])
