"""The house keeps itself tidy: what no linter knows about this repository."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from kernel.sql import NAME_MARK, load_queries

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "biletter",
    "kernel",
    "accounts",
    "waitingroom",
    "sales",
    "admin",
    "workers",
    "sandbox",
    "loadtest",
)
# A file longer than this wants another noun; a function longer than this leaves the screen.
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
LUA_LINES_MAX = 120
# Words that would say the same thing twice, or nothing (glossary, design of the house).
BANNED_FILE_NAMES = {"utils", "util", "helpers", "helper", "manager", "misc", "common", "data"}


def python_files() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


def lua_files() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.lua"))]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_files_stay_small_enough_to_hold_in_the_head():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in [*python_files(), *sorted((ROOT / "tests").rglob("*.py"))]
        if (lines := path.read_text("utf-8").count("\n")) > FILE_LINES_MAX
    }
    assert long == {}


def test_functions_fit_one_screen():
    long = []
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                size = node.end_lineno - node.lineno + 1
                if size > FUNCTION_LINES_MAX:
                    long.append(f"{path.relative_to(ROOT)}:{node.name} {size}")
    assert long == []


def test_files_are_named_after_nouns_of_the_glossary():
    vague = [str(path) for path in python_files() if path.stem in BANNED_FILE_NAMES]
    assert vague == []


def header_of(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--"))
    return "\n".join(lines)


@pytest.mark.parametrize("path", lua_files(), ids=lambda path: path.name)
def test_a_lua_command_says_in_its_header_what_its_body_takes_and_answers(path: Path):
    text = path.read_text("utf-8")
    header, body = header_of(text), text[len(header_of(text)) :]
    body = "\n".join(line.partition("--")[0] for line in text.splitlines() if line[:2] != "--")
    assert text.count("\n") <= LUA_LINES_MAX
    for kind in ("KEYS", "ARGV"):
        told = {int(n) for n in re.findall(rf"{kind}\[(\d+)\]", header)}
        used = {int(n) for n in re.findall(rf"{kind}\[(\d+)\]", body)}
        assert told == used, (
            f"{kind}: the header tells {sorted(told)}, the body uses {sorted(used)}"
        )
        assert told == set(range(1, len(told) + 1)), f"{kind} are numbered without gaps"
    assert "Returns:" in header
    assert "Changes:" in header
    answers = set(re.findall(r"return\s*\{\s*['\"]([a-z_-]+)['\"]", body))
    missing = {word for word in answers if not re.search(rf"\b{re.escape(word)}\b", header)}
    assert missing == set(), "every answer word is told in the header"


def test_every_named_statement_is_used_and_every_used_one_exists():
    unused = []
    for folder in sorted(
        {path.parent for name in PACKAGES for path in (ROOT / name).rglob("*.sql")}
    ):
        package = folder.parent
        text = "\n".join(path.read_text("utf-8") for path in package.rglob("*.py"))
        names = set(load_queries(folder))
        unused += [f"{folder.name}:{name}" for name in names if f'"{name}"' not in text]
    assert unused == []


def test_each_statement_begins_with_what_it_does():
    mute = []
    for path in [path for name in PACKAGES for path in (ROOT / name).rglob("*.sql")]:
        for block in path.read_text("utf-8").split(NAME_MARK)[1:]:
            name, _, rest = block.partition("\n")
            if not rest.lstrip().startswith("--"):
                mute.append(f"{path.name}: {name.strip()}")
    assert mute == []


def test_no_machine_and_no_registry_is_named():
    # Spelt in pieces, so that this file is not its own finding.
    banned = ["/" + "work/", "pypi" + ".org", "pythonhosted" + ".org", "registry.npm" + "js"]
    banned += ["deb.debian" + ".org", "/" + "opt/pypi"]
    found = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {word}" for word in banned if word in text]
    assert found == []


def test_locks_carry_hashes_and_no_address():
    for path in sorted((ROOT / "requirements").glob("*.lock")):
        text = path.read_text("utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_the_changelog_and_the_decisions_exist():
    assert (ROOT / "CHANGELOG.md").exists()
    assert list((ROOT / "docs" / "adr").glob("0001-*.md"))


def test_each_migration_has_a_number_of_its_own():
    numbers = [path.name[:4] for path in sorted((ROOT / "migrations").glob("*.sql"))]
    assert sorted(set(numbers)) == numbers
