"""The rules of the house that no linter knows."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READ = (
    ".py",
    ".md",
    ".toml",
    ".csv",
    ".cff",
    ".txt",
    ".yml",
    ".ts",
    ".js",
    ".svelte",
    ".css",
    ".html",
    ".json",
)
LOCKS = ("requirements.txt", "requirements-run.txt")


def _pinned(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, flags=re.MULTILINE))


def _tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_hashes_and_no_address(lock) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    assert text.count("--hash=sha256:") >= len(_pinned(lock))


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    core = [*project["project"]["dependencies"], *extras["report"], *extras["server"]]
    groups = project["dependency-groups"]
    for lock, wanted in (
        ("requirements-run.txt", core + groups["build"]),
        ("requirements.txt", core + groups["dev"]),
    ):
        pinned = _pinned(lock)
        for requirement in wanted:
            name = re.split(r"[<>=\[ ]", requirement)[0]
            assert name in pinned, f"{name} is not in {lock}: run `make lock`"


def test_what_runs_is_a_part_of_what_is_tested() -> None:
    tested = _pinned("requirements.txt")
    assert _pinned("requirements-run.txt").items() <= tested.items()


def test_the_page_locks_what_it_is_built_with_and_names_no_host() -> None:
    text = (ROOT / "ui" / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text, "run `make lock`"
    packages = json.loads(text)["packages"]
    assert all(item.get("integrity") for name, item in packages.items() if name)
    manifest = json.loads((ROOT / "ui" / "package.json").read_text(encoding="utf-8"))
    wanted = {**manifest.get("dependencies", {}), **manifest["devDependencies"]}
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version, f"{name}: run `make lock`"


def test_the_page_runs_nothing_inline() -> None:
    """Its policy forbids script and style within the markup, and any other machine."""
    text = (ROOT / "ui" / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script\b[^>]*>(.*?)</script>", text, flags=re.DOTALL) == [""]
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|//", text)
    for path in (ROOT / "ui" / "src").rglob("*.svelte"):
        assert not re.search(r"\sstyle=\"", path.read_text(encoding="utf-8")), path.relative_to(ROOT)


def test_files_hold_one_idea() -> None:
    code = [path for path in _tracked() if path.suffix in (".py", ".ts", ".js", ".svelte", ".css")]
    assert code
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in code}
    assert not {path: length for path, length in lengths.items() if length > 500}


def test_nothing_points_outside_the_project() -> None:
    outside = re.compile(r"\.\./shared|/work/|/root/|/home/\w")
    for path in _tracked():
        if path.suffix in READ and path != Path(__file__):
            found = outside.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path.relative_to(ROOT)}: {found and found.group()}"


def test_every_line_of_acceptance_has_one_name_and_its_tests() -> None:
    lines = tomllib.loads((ROOT / "docs" / "acceptance.toml").read_text(encoding="utf-8"))["line"]
    names = [line["id"] for line in lines]
    assert len(names) == len(set(names))
    for line in lines:
        for file in re.findall(r"\b(?:tests|tools|docs)/[\w/]+\.(?:py|md)", line["command"]):
            assert (ROOT / file).is_file(), f"{line['id']}: {file}"


def test_texts_are_sorted_and_used_sections_exist() -> None:
    catalogue = ROOT / "src" / "monazite" / "core" / "text" / "en.toml"
    sections = tomllib.loads(catalogue.read_text(encoding="utf-8"))
    for name, texts in sections.items():
        assert list(texts) == sorted(texts), f"[{name}] is not sorted"


def test_every_text_of_the_command_line_is_used() -> None:
    catalogue = ROOT / "src" / "monazite" / "core" / "text" / "en.toml"
    texts = tomllib.loads(catalogue.read_text(encoding="utf-8"))["cli"]
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src" / "monazite" / "cli").glob("*.py")
    )
    for key in texts:
        family = key.partition("_")[0]
        assert f'"cli.{key}"' in code or f'f"cli.{family}_{{' in code, f"cli.{key} is said nowhere"


def _texts(section: str) -> dict[str, str]:
    catalogue = ROOT / "src" / "monazite" / "core" / "text" / "en.toml"
    return tomllib.loads(catalogue.read_text(encoding="utf-8"))[section]


def _page_code() -> str:
    files = [path for path in (ROOT / "ui" / "src").rglob("*") if path.suffix in (".ts", ".svelte")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if ".test." not in path.name)


def test_every_text_of_the_page_exists_and_is_used() -> None:
    """The page's own keys are literals, so that a key that is gone or forgotten is seen here."""
    code, texts = _page_code(), _texts("page")
    said = set(re.findall(r"""\b(?:say|parts)\(\s*['"](\w+)['"]""", code))
    assert len(said) > 20
    assert not said - set(texts), "said, but not in the catalogue"
    literals = set(re.findall(r"""['"](\w+)['"]""", code))
    assert not set(texts) - literals, "in the catalogue, but said nowhere"


def test_every_value_of_a_text_of_the_page_is_given() -> None:
    code, texts = _page_code(), _texts("page")
    for key, given in re.findall(r"""\bsay\(\s*['"](\w+)['"]\s*(,\s*\{.*?\})?\s*\)""", code, flags=re.DOTALL):
        for name in re.findall(r"\{(\w+)\}", texts.get(key, "")):
            assert re.search(rf"\b{name}\b", given), f"page.{key} needs {{{name}}}"


def test_every_text_of_the_server_is_used() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src" / "monazite" / "server").glob("*.py")
    )
    for key in _texts("server"):
        family = key.partition("_")[0]
        assert f'"server.{key}"' in code or f'f"server.{family}_{{' in code, f"server.{key} is said nowhere"


def test_the_page_speaks_no_language_of_its_own() -> None:
    """No sentence stands in the page's markup: what a reader reads is in the catalogue."""
    for path in (ROOT / "ui" / "src").rglob("*.svelte"):
        text = path.read_text(encoding="utf-8")
        markup = re.sub(r"<script.*?</script>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
        markup = re.sub(r"<[^<>]*?>", " ", _without_braces(markup))
        words = set(re.findall(r"[A-Za-z]{3,}", markup)) - {"Monazite", "csv", "json", "svg"}
        assert not words, f"{path.relative_to(ROOT)} says {sorted(words)}"


def _without_braces(text: str) -> str:
    """Take out what stands in braces, however deep."""
    kept, depth = [], 0
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if depth == 0 and letter != "}":
            kept.append(letter)
    return "".join(kept)
