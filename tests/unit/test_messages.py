"""Every text of the product exists in Kazakh and English, with the same gaps to fill."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from kernel.i18n import LANGUAGES
from tests import messages

GAP = re.compile(r"%\(\w+\)[sd]|\{\w+\}|</?\w+>")
CYRILLIC = re.compile(r"[А-Яа-яЁё]")


@pytest.fixture(scope="module")
def found():
    return messages.gather()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(found, language):
    assert messages.missing(language, found) == [], "fill them in after script/messages"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_is_in_step_with_templates_and_code(found, language):
    path = messages.LOCALE / language / "LC_MESSAGES" / "messages.po"
    kept = path.read_text("utf-8").split("\n\n", 1)[1]
    fresh = messages.update(language, found).decode().split("\n\n", 1)[1]
    assert kept == fresh, "run script/messages"


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_every_gap_and_tag(language):
    for original, text in translated(language):
        assert set(GAP.findall(text)) == set(GAP.findall(original)), (original, text)


def test_english_has_no_russian_left_in_it():
    assert not [text for _, text in translated("en") if CYRILLIC.search(text)]


def translated(language: str) -> Iterator[tuple[str, str]]:
    """Each translation beside the last form of what it translates."""
    for message in messages.read(language):
        one: Any = message
        strings = one.string if isinstance(one.string, tuple) else (one.string,)
        for text in strings if one.id else ():
            yield (one.id[-1] if isinstance(one.id, tuple) else one.id), text


def test_code_gives_its_texts_and_not_its_docstrings():
    source = '"""Модуль."""\nclass No(Refusal):\n    """Нельзя так."""\n\n    def f(self):\n'
    source += '        """Описание."""\n        return "Обычный текст", f"с дырой {1}", "ёЁ"\n'
    assert list(messages._of_code(source)) == ["Нельзя так.", "Обычный текст"]
