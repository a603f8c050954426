"""The worked examples of the gateway's contract, §4."""

from sales import gateway_tokens as tokens

WHO = tokens.Merchant("toleubar-demo", "Kokdala-2025!")


def test_the_init_token_is_that_of_the_worked_example():
    token = tokens.init(WHO, 20_000_000, "KZT", "bk-000456-1")
    assert token == "81dac43e9269024f14b760c7c870f0ee9326e4bae1d00b84d2cb30fc4c94924b"


def test_the_check_token_by_payment_id_is_that_of_the_worked_example():
    token = tokens.check(WHO, payment_id="17556000001234", order_id="bk-000456-1")
    assert token == "7c26afee0dc18f2ce0ce2d33e39fed28856d60eb5a49e52adce188cbf51d2b14"


def test_the_check_token_by_order_id_is_that_of_the_worked_example():
    token = tokens.check(WHO, payment_id=None, order_id="bk-000456-1")
    assert token == "84a4a65ae40078b08850b7ecb7633bd6e071f8b388caeee8762ccf4633d6a7c7"


def test_the_confirm_token_is_that_of_the_worked_example():
    token = tokens.confirm(WHO, "17556000001234", 20_000_000)
    assert token == "c1ff3c6d832246da61ea0201cafa082753fd24faf33edcf7c15f3de10b6b91d5"


def test_a_cancel_without_amount_is_sealed_like_a_check():
    assert tokens.cancel(WHO, "1") == tokens.check(WHO, payment_id="1", order_id="x")
