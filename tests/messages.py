"""The words of the product, gathered from templates and code, and the catalogues kept in step.

`script/messages` runs this. Russian is the source: `locale/ru` holds plural forms only. In code
every literal with Cyrillic letters counts, and the first line of a refusal's docstring, for that
is its default message. Literals with gaps (f-strings) are never translated: avoid them.
"""

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from kernel.i18n import DEFAULT, LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
CODE = ("accounts", "admin", "kernel", "sales", "sandbox", "waitingroom")
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
OPTIONS = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true"}
# Catalogues carry no clock, so that an update without new words changes nothing.
BORN = datetime(2026, 1, 1, tzinfo=UTC)
WIDTH = 100
# A word, not a letter that code compares with.
RUSSIAN = re.compile(r"[а-яё]{3}", re.IGNORECASE)


def gather() -> Catalog:
    """Every message with the files it stands in."""
    found = Catalog(project="Biletter", creation_date=BORN, charset="utf-8")
    for file in sorted((ROOT / "templates").rglob("*.html")):
        for message in _of_template(file):
            found.add(message, locations=[(_name(file), 0)])
    for package in CODE:
        for file in sorted((ROOT / package).rglob("*.py")):
            for text in _of_code(file.read_text("utf-8")):
                found.add(text, locations=[(_name(file), 0)])
    return found


def read(language: str) -> Catalog:
    path = _path(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as source:
        return read_po(source, locale=language)


def update(language: str, found: Catalog) -> bytes:
    """The language's catalogue with the messages there are now, old translations kept."""
    kept = read(language)
    fresh = Catalog(
        locale=language,
        project="Biletter",
        version="1",
        msgid_bugs_address="",
        creation_date=BORN,
        revision_date=BORN,
        last_translator="Biletter",
        language_team=language,
        charset="utf-8",
        fuzzy=False,
        header_comment=f"# Biletter: {language}",
    )
    for message in sorted(_of_language(language, found), key=lambda one: str(one.id)):
        old = kept.get(message.id)
        string = old.string if old else ""
        fresh.add(message.id, string, locations=message.locations, flags=message.flags)
    out = BytesIO()
    write_po(out, fresh, width=WIDTH, include_lineno=False, sort_output=False)
    return out.getvalue()


def missing(language: str, found: Catalog) -> list[str]:
    """Messages without a translation (of every plural form)."""
    kept = read(language)
    return [_first(one) for one in _of_language(language, found) if not _is_done(kept, one)]


def _is_done(kept: Catalog, message: Any) -> bool:
    known = kept.get(message.id)
    if known is None:
        return False
    strings = known.string if isinstance(known.string, tuple) else (known.string,)
    return all(strings) and (not message.pluralizable or len(strings) == kept.num_plurals)


def _of_language(language: str, found: Catalog) -> list[Any]:
    return [one for one in found if one.id and (language != DEFAULT or one.pluralizable)]


def _of_template(file: Path) -> Iterator[Any]:
    with file.open("rb") as source:
        for found in extract("jinja2", source, KEYWORDS, (), OPTIONS):
            yield found[1]


def _of_code(text: str) -> Iterator[str]:
    tree = ast.parse(text)
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            docstring = _docstring(node)
            if docstring is not None:
                skipped.add(id(docstring))
                if isinstance(node, ast.ClassDef):
                    yield from _if_russian(str(docstring.value).strip().splitlines()[0])
        elif isinstance(node, ast.JoinedStr):
            skipped |= {id(value) for value in node.values}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in skipped:
            yield from _if_russian(node.value)  # type: ignore[attr-defined]  # a Constant, see above


def _docstring(node: Any) -> ast.Constant | None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.value if isinstance(first.value.value, str) else None
    return None


def _if_russian(text: str) -> Iterator[str]:
    # A whole page in the code says everything in all languages itself.
    if RUSSIAN.search(text) and not text.startswith("<!doctype"):
        yield text


def _first(message: Any) -> str:
    return str(message.id[0] if isinstance(message.id, tuple) else message.id)


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "messages.po"


def main() -> int:
    """Writes the catalogues; 1 when a translation is missing."""
    found = gather()
    lacking = 0
    for language in LANGUAGES:
        path = _path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(update(language, found))
        gaps = missing(language, found)
        lacking += len(gaps)
        sys.stdout.write(f"{language}: {len(gaps)} missing\n")
        sys.stdout.writelines(f"  {text}\n" for text in gaps)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
