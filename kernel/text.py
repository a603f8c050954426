"""Characters that nobody sees: they reorder a line, hide in an address, or make two names alike."""

import unicodedata
from typing import Final

# Control, format (bidi marks, zero-width ones), private use, surrogates.
UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs"})


def has_unseen(text: str) -> bool:
    """Whether there is such a character in the text; quick where there is none."""
    return not text.isprintable() and any(unicodedata.category(char) in UNSEEN for char in text)


def seen_line(text: str) -> str:
    """The text as one line without such characters, single spaces between the words."""
    kept = (char for char in " ".join(text.split()) if unicodedata.category(char) not in UNSEEN)
    return " ".join("".join(kept).split())
