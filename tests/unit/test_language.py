"""In which language people are spoken to."""

import pytest

from kernel.i18n import Catalogues


@pytest.mark.parametrize(
    ("wished", "language"),
    [
        ("", "ru"),
        ("kk", "kk"),
        ("kk-KZ, ru;q=0.9, en;q=0.8", "kk"),
        ("en-US,en;q=0.9", "en"),
        ("de-DE, de;q=0.9, en;q=0.7, ru;q=0.3", "en"),
        ("en;q=0.2, kk;q=0.5, ru;q=0.4", "kk"),
        # The first of equals.
        ("ru, kk", "ru"),
        ("kk;q=0.8,en;q=0.8", "kk"),
        # Not at all.
        ("kk;q=0, en;q=0.1", "en"),
        ("en;q=0.0", "ru"),
        # Whatever there is.
        ("*", "ru"),
        ("fr, *;q=0.5, en;q=0.4", "ru"),
        ("KK-cyrl-kz ; q=1.000", "kk"),
        # None of ours, or no list at all.
        ("fr, uz;q=0.9", "ru"),
        ("kk;q=2, en;q=high, ru;;q=1", "ru"),
        ("kkk, english", "ru"),
        ("\x00,;=;q=,,,", "ru"),
        ("fr," * 500 + "kk", "ru"),
    ],
)
def test_the_language_is_the_one_that_the_browser_likes_best(wished, language):
    assert Catalogues.choose(None, None, wished) == language


def test_who_chose_a_language_here_is_spoken_to_in_it():
    assert Catalogues.choose("ru", "kk", "en") == "ru"
    assert Catalogues.choose(None, "kk", "en") == "kk"
    assert Catalogues.choose("de", "fr", "en") == "en"
