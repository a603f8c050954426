"""Which test shows which line of the published contract; whatever is named here exists.

`what`: the line, by the contract's chapters. A line without a test would be a gap.
"""

import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent.parent
READING, BOOKING = "web/test_api_reading.py", "web/test_api_booking.py"
PAYMENT, REFUSALS = "web/test_api_payment.py", "web/test_api_refusals.py"
GUARDED, DOCUMENT = "web/test_api_guarded.py", "contract/test_document.py"
LOAD, LINES = "process/test_contract_load.py", "web/test_api_lines.py"
ROWS = {
    "1 ids are numbers and exact after JSON.parse": (LINES, "ids_are_numbers"),
    "1 money is a decimal string": (READING, "a_seat_has_the_contracts_five_fields"),
    "1 JSON out, snake_case": (DOCUMENT, "bodies_and_answers_have_the_contracts_fields"),
    "1 nothing redirects but a payment": (REFUSALS, "no_answer_redirects"),
    "2 events need nobody": (READING, "events_need_no_credentials"),
    "2 seats, analytics, returns, reset take no notice of wrong credentials": (
        LINES,
        "wrong_credentials_are_no_matter",
    ),
    "2 bookings and seats need a user: 401 with WWW-Authenticate": (
        REFUSALS,
        "nothing_that_needs_a_user_works_without_one",
    ),
    "2 UTF-8, the first colon, backslashes": (LINES, "passwords_of_the_imported_file"),
    "2 inactive accounts are 403": (REFUSALS, "an_inactive_account_is_forbidden"),
    "2 nobody is locked out by address": (LINES, "three_who_never_sign_in_lock_nobody_out"),
    "3 every endpoint with its codes": (DOCUMENT, "every_call_of_the_contract_is_told"),
    "3 parameters and their limits": (DOCUMENT, "parameters_agree_in_name_place"),
    "3 no POST /api/events": (REFUSALS, "wrong_methods_and_paths"),
    "4.1 bare array": (READING, "events_are_a_bare_array"),
    "4.1 envelope by a setting": (READING, "a_setting_puts_the_events_into_an_envelope"),
    "4.1 limits of page, pageSize, date": (READING, "malformed_parameters_of_events"),
    "4.1 filters combine; the archive is searched": (READING, "search_reads_active_and_archived"),
    "4.1 quotes and operators do no harm": (READING, "no_query_breaks_the_search"),
    "4.2 201 and an id; unknown event 404": (REFUSALS, "unknown_ids_are_answered_as_each"),
    "4.2 an empty booking": (BOOKING, "a_booking_goes_from_empty"),
    "4.3 one's own, newest first": (BOOKING, "bookings_are_listed_newest_first"),
    "4.3 a lost race leaves no seats": (BOOKING, "a_selected_seat_is_reserved_for_everybody"),
    "4.3 a thousand bookings": (LINES, "a_thousand_bookings_are_listed"),
    "4.4 302 and Location, the same again": (PAYMENT, "payment_starts_with_a_redirect"),
    "4.4 never 419": (PAYMENT, "an_empty_booking_cannot_be_paid"),
    "4.4 403 of others, 404 unknown": (BOOKING, "foreign_bookings_and_seats_are_forbidden"),
    "4.5 frees all seats, again is 200": (BOOKING, "cancelling_frees_all_the_seats"),
    "4.5 a paid one comes back": ("web/test_api_returns.py", "a_paid_booking_is_returned"),
    "4.5 419 inside the 12 hours": ("web/test_api_returns.py", "too_late_is_the_contracts_419"),
    "4.6 limits": (READING, "malformed_parameters_of_seats"),
    "4.6 status and row; free ones first": (READING, "rows_and_statuses_narrow_the_list"),
    "4.6 pages hold what was asked, no seat twice": (READING, "pages_of_seats_hold_at_most"),
    "4.6 every caller begins elsewhere": (READING, "callers_are_offered_different_free_seats"),
    "4.6 sold seats in front hide no free one": (LINES, "a_first_page_has_a_free_seat"),
    "4.7 exactly one of two callers": (BOOKING, "of_two_callers_for_one_seat"),
    "4.7 ... on real processes": (LOAD, "of_two_callers_exactly_one"),
    "4.7 a reservation ends": (BOOKING, "a_reservation_times_out"),
    "4.7 another event's seat, a booking that is over": (BOOKING, "a_seat_of_another_event"),
    "4.8 403 of others, 419 otherwise": (REFUSALS, "unknown_ids_are_answered_as_each"),
    "4.9 hints only, always 200 or 404": (PAYMENT, "a_return_address_alone_sells_and_cancels"),
    "4.9 what the gateway confirms is sold": (PAYMENT, "what_the_gateway_confirms_is_sold"),
    "4.9 what it declines is free": (PAYMENT, "what_the_gateway_declines_is_free"),
    "4.10 200 or 400, nothing else": (PAYMENT, "notifications_that_tell_us_nothing"),
    "4.10 malformed is 400": (PAYMENT, "malformed_notifications_are_refused"),
    "4.11 seven fields that add up, zones": (READING, "analytics_has_all_its_fields"),
    "4.12 everything as before the first sale": (
        "web/test_api_reset.py",
        "everything_is_as_before",
    ),
    "4.12 in the middle of a run": ("web/test_api_reset.py", "in_the_middle_of_a_run"),
    "4.12 a setting switches it off": ("web/test_api_reset.py", "a_setting_switches_it_off"),
    "5 phases of a booking": ("unit/test_states.py", "a_final_order_moves_no_more"),
    "6 event 1: five zones, 100 000 seats, prices": (
        "unit/test_seed.py",
        "the_star_concert_has_its_hundred_thousand",
    ),
    "6 its seats may be a partner's": (
        "flow/test_owner_changes.py",
        "seats_that_are_the_partners_again",
    ),
    "8 reading is never queued": (GUARDED, "reading_is_never_queued"),
    "8 on: a pass, else 429, Retry-After, Link": (GUARDED, "without_a_pass_machines_are_shown"),
    "8 auto: implicitly, else 429": (GUARDED, "at_an_armed_room_a_program_needs_no_pass"),
    "8 off: no queue": (GUARDED, "a_room_that_is_off_lets_everybody"),
    "8 other events are untouched": (GUARDED, "other_events_never_ask_for_a_pass"),
    "8 the ten users": (LOAD, "the_contracts_ten_users_book"),
    "8 ... before an automatic room": (LOAD, "before_an_automatic_room"),
    "9 payment operations are idempotent": (PAYMENT, "two_clicks_on_pay_open_one_payment"),
    "9 abuse: limits of an order and a person": (BOOKING, "more_seats_than_an_order_may_have"),
}


@cache
def names_of(path: str) -> list[str]:
    text = (TESTS / path).read_text("utf-8")
    return re.findall(r"^(?:async )?def test_(\w+)", text, re.MULTILINE)


def test_every_line_of_the_contract_has_its_test() -> None:
    missing = [
        what
        for what, (path, words) in ROWS.items()
        if not any(words in name for name in names_of(path))
    ]
    assert not missing
