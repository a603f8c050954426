"""What the admin process answers."""

from typing import Any

from accounts.web import sign_out
from admin.web import allotments, audit, door, events, payouts, restart, review, rooms, sign_in


def routes() -> list[Any]:
    """Needs `accounts`, `sessions` and `identity` (of the staff audience and cookie), `caller`,
    `console`, `doorkeeper`, `restarts`, `audit`, `review`, `parked`, `payouts`, `events`,
    `allotments`, `pages`.
    """
    return [
        sign_in.sign_in_form,
        sign_in.sign_in,
        sign_out,
        rooms.front,
        rooms.rooms_page,
        rooms.rooms_numbers,
        rooms.room_page,
        rooms.room_numbers,
        rooms.configure,
        restart.restart_page,
        restart.restart,
        door.door_page,
        door.door_numbers,
        door.preview,
        door.change_door,
        audit.audit_page,
        review.review_page,
        review.item_page,
        review.close_item,
        review.notices_page,
        review.notice_page,
        review.end_notice,
        payouts.payouts_page,
        payouts.payout_page,
        payouts.pay_out,
        payouts.ask_gateway,
        events.events_page,
        events.event_page,
        events.event_numbers,
        events.change_event,
        allotments.allotments_page,
        allotments.allotments_data,
        allotments.allotments_sheet,
        allotments.change_allotment,
    ]
