"""Languages of the pages: Russian is the source text, Kazakh and English are catalogues.

Catalogues are read as .po at start, so there is nothing to compile and nothing to forget.
"""

import gettext
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DEFAULT = "ru"
LANGUAGES = ("kk", "ru", "en")


class Catalogues:
    def __init__(self, folder: Path) -> None:
        self._by_language = {language: _load(folder, language) for language in LANGUAGES}

    def of(self, language: str) -> gettext.NullTranslations:
        return self._by_language.get(language, self._by_language[DEFAULT])

    @staticmethod
    def choose(asked: str | None, kept: str | None) -> str:
        """`?lang=` first, then the cookie, then Russian: browsers' own lists are not followed,
        for a machine bought in English mostly belongs to a reader of Russian or Kazakh.
        """
        return next((one for one in (asked, kept) if one in LANGUAGES), DEFAULT) or DEFAULT


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
