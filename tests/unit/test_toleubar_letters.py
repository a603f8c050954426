"""Webhook bytes and signature (contract §7)."""

from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from sandbox.toleubar.letters import headers_of, sign, write_transition, write_viewing
from sandbox.toleubar.moments import iso
from sandbox.toleubar.payment import Payment
from sandbox.toleubar.states import MOVES, Status

SIGNED = (
    b'{"paymentId":"17556000001234","status":"AUTHORIZED","teamSlug":"toleubar-demo",'
    b'"timestamp":"2025-08-19T10:40:12.3456789Z","data":{"transition_timestamp":'
    b'"2025-08-19T10:40:12.3456001Z","status_name":"AUTHORIZED"}}'
)
SIGNATURE = "sha256=ca46c3c55128ba354514fc4dff7d234ae4a2af1cacd09c68e3e5544a4a91171a"
AT_MS = 1_755_600_012_345


def payment(status: Status, amount: str = "20000000") -> Payment:
    return Payment(
        payment_id="17556000001234",
        team_slug="toleubar-demo",
        order_id="bk-000456-1",
        amount=Decimal(amount),
        currency="KZT",
        status=status,
        reason="",
        pay_type=None,
        description=None,
        success_url=None,
        fail_url=None,
        notification_url=None,
        created_ms=AT_MS,
        updated_ms=AT_MS,
        expires_ms=AT_MS,
    )


def test_the_signature_is_that_of_the_contracts_example():
    assert sign(SIGNED, "whsec-demo-123") == SIGNATURE


def test_a_transition_has_the_bytes_of_the_contracts_example_but_for_its_moments():
    moment = "2025-08-19T10:40:12.3450000Z"
    assert write_transition(payment(Status.AUTHORIZED)).decode() == (
        SIGNED.decode()
        .replace("2025-08-19T10:40:12.3456789Z", moment)
        .replace("2025-08-19T10:40:12.3456001Z", moment)
    )


@pytest.mark.parametrize(
    ("status", "word", "data"),
    [
        (Status.CONFIRMED, "completed", {"event_type": "payment_completed"}),
        *(
            (status, "failed", {"event_type": "payment_failed", "failure_reason": status})
            for status in (Status.REJECTED, Status.CANCELLED, Status.EXPIRED)
        ),
    ],
)
def test_ends_are_told_as_completed_or_failed(status, word, data):
    letter = msgspec.json.decode(write_transition(payment(status)))
    assert (letter["status"], letter["data"]) == (word, data)


def test_only_the_viewing_letter_carries_the_order_and_amounts_stay_numbers():
    letter = write_viewing(payment(Status.NEW, "20000000.00"), AT_MS, "127.0.0.1", "ru", "Firefox")
    assert b'"amount":20000000.00' in letter
    data = msgspec.json.decode(letter)["data"]
    assert data["order_id"] == "bk-000456-1"
    assert set(data) == {
        "event_type",
        "amount",
        "currency",
        "order_id",
        "client_ip",
        "language",
        "user_agent",
        "timestamp",
    }


def test_without_a_secret_there_is_no_signature():
    delivery = UUID(int=1)
    assert "X-Webhook-Signature" not in headers_of(b"{}", delivery, None)
    assert headers_of(SIGNED, delivery, "whsec-demo-123") == {
        "Content-Type": "application/json",
        "User-Agent": "PaymentGateway-Webhook/1.0",
        "X-Webhook-Event": "payment_status_change",
        "X-Webhook-Delivery": str(delivery),
        "X-Webhook-Signature": SIGNATURE,
    }


def test_moments_have_seven_digits():
    assert iso(AT_MS) == "2025-08-19T10:40:12.3450000Z"


def test_every_status_knows_where_it_may_go():
    assert set(MOVES) == set(Status)
