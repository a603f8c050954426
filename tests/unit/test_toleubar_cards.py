"""The acquirer's judgement (contract §8)."""

from datetime import date
from random import Random

import pytest

from sandbox.toleubar.cards import TROUBLES, Card, judge

TODAY = date(2026, 6, 15)


class Luck:
    """A switchboard with only these shares."""

    def __init__(self, **shares: float) -> None:
        self.shares, self.chance = shares, Random(3)

    def strikes(self, name: str) -> bool:
        return self.chance.random() < self.shares.get(name, 0.0)

    def stream(self, name: str) -> Random:
        return self.chance


def reason_of(number: str, expiry: str = "12/29", cvv: str = "123", **shares: float) -> str:
    return judge(Card(number, expiry, cvv), TODAY, Luck(**shares)).reason


@pytest.mark.parametrize(
    ("number", "cvv", "reason"),
    [
        ("4111 1111 1111 1111", "123", "approved"),
        ("4111-1111-1111-1111", "123", "approved"),
        ("4000 0000 0000 0002", "123", "declined-by-issuer"),
        ("4000 0000 0000 0119", "123", "insufficient-funds"),
        ("5555 5555 5555 4444", "123", "approved"),
        ("378282246310005", "1234", "approved"),
        ("378282246310005", "123", "bad-cvv"),
        ("4111111111111111", "1234", "bad-cvv"),
        ("4111111111111111", "12a", "bad-cvv"),
        ("4532 1234 5678 9012", "123", "bad-number"),  # in the guide as valid; fails Luhn
        ("411111111111", "123", "bad-number"),
        ("4" * 20, "123", "bad-number"),
        ("٤١١١١١١١١١١١١١١١", "123", "bad-number"),
        ("", "123", "bad-number"),
    ],
)
def test_each_card_has_its_answer(number, cvv, reason):
    assert reason_of(number, cvv=cvv) == reason


@pytest.mark.parametrize(
    ("expiry", "reason"),
    [
        ("06/26", "approved"),  # good to the last day of its month
        ("05/26", "bad-expiry"),
        ("12/25", "bad-expiry"),
        ("01/27", "approved"),
        ("1229", "bad-expiry"),
        ("13/29", "bad-expiry"),
        ("00/29", "bad-expiry"),
        ("12/2029", "bad-expiry"),
    ],
)
def test_expiry_is_month_slash_year_and_not_past(expiry, reason):
    assert reason_of("4111111111111111", expiry=expiry) == reason


def test_nine_of_ten_ordinary_cards_are_approved():
    luck = Luck(card_decline=0.1)
    card = Card("5555555555554444", "12/29", "123")
    approved = sum(judge(card, TODAY, luck).approved for _ in range(4000))
    assert 0.88 < approved / 4000 < 0.92


def test_the_always_approved_card_is_approved_whatever_the_odds_of_decline():
    assert reason_of("4111111111111111", card_decline=1.0) == "approved"
    assert reason_of("5555555555554444", card_decline=1.0) == "declined"


def test_trouble_at_the_acquirer_strikes_every_card():
    assert reason_of("4111111111111111", card_trouble=1.0) in TROUBLES
