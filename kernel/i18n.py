"""Languages of the pages: Russian is the source text, Kazakh and English are catalogues.

Catalogues are read as .po at start, so there is nothing to compile and nothing to forget.
"""

import gettext
import re
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DEFAULT = "ru"
LANGUAGES = ("kk", "ru", "en")
# Of a browser's list so much is read; a longer one is somebody's play.
LIST_MAX = 500
LISTS_KEPT = 1_000
# One language of the list: "kk-KZ", "ru;q=0.8", "*".
WISH = re.compile(
    r"(\*|[A-Za-z]{1,8})(?:-[A-Za-z0-9-]*)?(?:\s*;\s*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)


class Catalogues:
    def __init__(self, folder: Path) -> None:
        self._by_language = {language: _load(folder, language) for language in LANGUAGES}

    def of(self, language: str) -> gettext.NullTranslations:
        return self._by_language.get(language, self._by_language[DEFAULT])

    @staticmethod
    def choose(asked: str | None, kept: str | None, wished: str = "") -> str:
        """`?lang=` first, then the cookie that it has set, then what the browser wishes
        (Accept-Language), then Russian.
        """
        known = next((one for one in (asked, kept) if one in LANGUAGES), None)
        return known or _wished(wished[:LIST_MAX])


@lru_cache(maxsize=LISTS_KEPT)
def _wished(text: str) -> str:
    """The language of ours with the highest q in the list, the first of equals (RFC 9110,
    12.5.4); a region says nothing, and what is no wish is passed over.
    """
    best, liked = DEFAULT, 0.0
    for part in text.split(","):
        found = WISH.fullmatch(part.strip())
        if not found:
            continue
        language = DEFAULT if found[1] == "*" else found[1].lower()
        if language in LANGUAGES and float(found[2] or 1) > liked:
            best, liked = language, float(found[2] or 1)
    return best


def _load(folder: Path, language: str) -> gettext.NullTranslations:
    path = folder / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
