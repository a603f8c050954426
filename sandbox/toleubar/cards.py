"""The acquirer: which card is approved and why another is not. No card number is ever kept."""

import re
from datetime import date
from random import Random
from typing import Protocol

from msgspec import Struct

ALWAYS_APPROVED = "4111111111111111"
REFUSED_CARDS = {
    "4000000000000002": "declined-by-issuer",
    "4000000000000119": "insufficient-funds",
}

TROUBLES = (
    "network-error",
    "authorisation-error",
    "fraud-block",
    "no-online-payments",
    "no-3d-secure",
)

_NUMBER = re.compile(r"[0-9]{13,19}")
_EXPIRY = re.compile(r"(0[1-9]|1[0-2])/([0-9]{2})")
_AMEX = re.compile(r"3[47]")


class Card(Struct, frozen=True):
    """As the payer wrote it; `number` may carry spaces or dashes, `expiry` is MM/YY."""

    number: str
    expiry: str
    cvv: str


class Luck(Protocol):
    """As much of the switchboard as a card meets: `card_decline` strikes the ordinary ones,
    `card_trouble` all.
    """

    def strikes(self, name: str) -> bool: ...

    def stream(self, name: str) -> Random: ...


class Verdict(Struct, frozen=True):
    approved: bool
    reason: str


APPROVED = Verdict(approved=True, reason="approved")


def judge(card: Card, today: date, luck: Luck) -> Verdict:
    """The first objection wins; what is wrong with the card itself comes before bad luck."""
    number = re.sub(r"[ -]", "", card.number)
    objection = find_objection(number, card.expiry.strip(), card.cvv.strip(), today)
    if objection:
        return Verdict(approved=False, reason=objection)
    if luck.strikes("card_trouble"):
        return Verdict(approved=False, reason=luck.stream("card_trouble").choice(TROUBLES))
    if number == ALWAYS_APPROVED:
        return APPROVED
    if luck.strikes("card_decline"):
        return Verdict(approved=False, reason="declined")
    return APPROVED


def find_objection(number: str, expiry: str, cvv: str, today: date) -> str | None:
    if not _NUMBER.fullmatch(number) or not passes_luhn(number):
        return "bad-number"
    if not is_current(expiry, today):
        return "bad-expiry"
    if not re.fullmatch(r"[0-9]{4}" if _AMEX.match(number) else r"[0-9]{3}", cvv):
        return "bad-cvv"
    return REFUSED_CARDS.get(number)


def passes_luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the sum of two digits
    return total % 10 == 0


def is_current(expiry: str, today: date) -> bool:
    """MM/YY, good to the last day of its month; without the slash the card is refused."""
    written = _EXPIRY.fullmatch(expiry)
    if not written:
        return False
    month, year = int(written[1]), 2000 + int(written[2])
    return (year, month) >= (today.year, today.month)
