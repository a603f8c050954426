"""A ticket's code is verified offline, and only what we signed for that purpose is good."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kernel.keyring import Keyring
from sales.tickets import TicketClaims, TicketForged, Tickets
from tests.flow.shop import AHEAD

# What a phone's camera still reads from a screen: QR version 12 at the lowest correction.
QR_MODULES_MAX = 65 + 4


@pytest.fixture
async def tickets(shop):
    """Two tickets of one order."""
    order = await shop.placed(0, 8)
    shop.gateway.pay()
    await shop.payments.hurry(order.id)
    return await shop.tickets.of_order(order.id)


async def test_the_code_names_the_ticket_and_is_verified_without_a_database(shop, tickets):
    nothing: Any = None
    door = Tickets(nothing, shop.keyring)
    for ticket in tickets:
        claims = door.verify(shop.tickets.qr_text(ticket))
        assert claims == TicketClaims(ticket.serial, shop.event_id, ticket.seat)


async def test_the_code_of_a_ticket_stays_the_same(shop, tickets):
    assert shop.tickets.qr_text(tickets[0]) == shop.tickets.qr_text(tickets[0])
    assert shop.tickets.qr_text(tickets[0]) != shop.tickets.qr_text(tickets[1])


async def test_the_code_still_verifies_after_a_change_of_keys(shop, tickets):
    text = shop.tickets.qr_text(tickets[0])
    shop.keyring.rotate("ticket")
    assert shop.tickets.verify(text).serial == tickets[0].serial


async def test_forged_codes_are_refused(shop, tickets, tmp_path):
    text = shop.tickets.qr_text(tickets[0])
    claims = jwt.decode(text, options={"verify_signature": False})
    headers = {"kid": jwt.get_unverified_header(text)["kid"], "typ": "ticket+jwt"}
    forged = [
        Keyring(tmp_path / "other").sign("ticket", claims, typ="ticket+jwt"),
        shop.keyring.sign("pass", claims, typ="ticket+jwt"),
        shop.keyring.sign("ticket", claims, typ="pass+jwt"),
        shop.keyring.sign("ticket", claims | {"aud": "x"}, typ="ticket+jwt"),
        shop.keyring.sign("ticket", claims | {"s": "0"}, typ="ticket+jwt"),
        jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=headers),
        jwt.encode(claims, "s" * 32, algorithm="HS256", headers=headers),
        text[:-1],
        "",
        "https://example.org",
        "x" * 5_000,
    ]
    for code in forged:
        with pytest.raises(TicketForged):
            shop.tickets.verify(code)


async def test_the_picture_is_small_enough_for_a_phone_and_scales(shop, tickets):
    svg = shop.tickets.qr_svg(tickets[0])
    assert svg.startswith("<svg")
    assert "style=" not in svg
    size = int(svg.partition('viewBox="0 0 ')[2].split()[0])
    assert size <= QR_MODULES_MAX


async def test_the_return_policy_is_written_down_at_purchase(shop, tickets):
    await shop.db.execute("UPDATE event SET refund_hours = 1")
    assert tickets[0].refund_until == AHEAD - timedelta(hours=12)


async def test_tickets_of_an_account_stand_newest_first(shop, tickets):
    mine = await shop.tickets.of_account(tickets[0].account_id)
    assert [one.id for one in mine] == sorted((one.id for one in tickets), reverse=True)
    assert await shop.tickets.of_account(10**9) == []
