"""Tokens of the gateway, with the worked examples of its contract (§4)."""

from collections.abc import Mapping

import pytest

from sandbox.toleubar.tokens import (
    NO_QUERY,
    Credentials,
    accepts,
    cancel_tokens,
    check_tokens,
    confirm_tokens,
    init_tokens,
)

WHO = Credentials(team_slug="toleubar-demo", password="Kokdala-2025!")
PAYMENT_ID = "17556000001234"
INIT = "81dac43e9269024f14b760c7c870f0ee9326e4bae1d00b84d2cb30fc4c94924b"
CHECK = "7c26afee0dc18f2ce0ce2d33e39fed28856d60eb5a49e52adce188cbf51d2b14"
CHECK_BY_ORDER = "84a4a65ae40078b08850b7ecb7633bd6e071f8b388caeee8762ccf4633d6a7c7"
CONFIRM = "c1ff3c6d832246da61ea0201cafa082753fd24faf33edcf7c15f3de10b6b91d5"


def init_token(amount: str = "20000000", query: Mapping[str, str] = NO_QUERY) -> str:
    [token] = init_tokens(WHO, amount=amount, currency="KZT", order_id="bk-000456-1", query=query)
    return token


def test_init_is_amount_currency_order_password_team():
    assert init_token() == INIT


def test_an_amount_written_with_decimals_is_another_token():
    assert init_token("20000000.00") != INIT


def test_a_query_parameter_is_mixed_in():
    assert init_token(query={"Extra": "1"}) != INIT


@pytest.mark.parametrize("order_id", [None, "bk-000456-1"])
def test_check_by_payment_puts_the_payment_before_the_password(order_id):
    tokens = check_tokens(WHO, payment_id=PAYMENT_ID, order_id=order_id, query=NO_QUERY)
    assert tokens == (CHECK,)


def test_check_by_order_alone_keeps_the_order_of_names():
    tokens = check_tokens(WHO, payment_id=None, order_id="bk-000456-1", query=NO_QUERY)
    assert tokens == (CHECK_BY_ORDER,)


def test_confirm_takes_the_rule_the_guide_and_the_authors_script():
    tokens = confirm_tokens(WHO, payment_id=PAYMENT_ID, amount="20000000", query=NO_QUERY)
    assert accepts(CONFIRM, tokens)
    assert len(set(tokens)) == 3


def test_cancel_without_an_amount_is_the_token_of_check():
    assert cancel_tokens(WHO, payment_id=PAYMENT_ID, amount=None, query=NO_QUERY) == (CHECK,)


def test_cancel_with_an_amount_keeps_the_order_of_names():
    tokens = cancel_tokens(WHO, payment_id=PAYMENT_ID, amount="20000000", query=NO_QUERY)
    assert tokens == (CONFIRM,)


def test_tokens_are_case_sensitive():
    assert accepts(INIT, (INIT,))
    assert not accepts(INIT.upper(), (INIT,))
    assert not accepts("", (INIT,))
