"""E-mail addresses as this house keeps them: one spelling an address."""

import re
import unicodedata

from kernel.errors import Refusal
from kernel.text import has_unseen

EMAIL_MAX = 254
LOCAL_PART_MAX = 64
# Letters of any alphabet: imported addresses carry Cyrillic ones. No quoted local parts, no colon
# (HTTP Basic splits there).
LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\]\\\x00-\x1f\x7f\ud800-\udfff]+")
HOST = re.compile(r"([^\W_]([\w-]*[^\W_])?\.)+[^\W\d_][^\W_]+")


class BadEmail(Refusal):
    """Это не похоже на адрес электронной почты."""

    status, code = 400, "bad-email"


def normalise(text: str) -> str:
    """The address in NFC and lower case, without space around; not checked."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).lower())


def read_email(text: str) -> str:
    """The normalised address, or BadEmail. Only its form is looked at."""
    email = normalise(text)
    local, at, host = email.rpartition("@")
    well_formed = (
        at
        and len(email) <= EMAIL_MAX
        and len(local) <= LOCAL_PART_MAX
        and not has_unseen(email)
        and LOCAL_PART.fullmatch(local)
        and HOST.fullmatch(host)
    )
    if not well_formed:
        raise BadEmail
    return email
