"""How the two profiles behave where they differ (contract §1): the guide's promises, and what the
real service was seen to do.
"""

from msgspec import Struct


class Manners(Struct, frozen=True, kw_only=True):
    # Addresses given at init are used, or merely echoed.
    uses_given_addresses: bool = True
    # A repeated init of the same order returns the first answer, or 409.
    repeats_init: bool = True
    draws_id_again: bool = True
    tells_dates_at_init: bool = True
    announces_new: bool = True
    verifies_confirm_token: bool = True
    captures: bool = True
    # Age, open payments and payments a day refuse a confirm.
    limits_confirm: bool = False
    cancels: bool = True
    expires: bool = True
    # A second form post goes where the payment stands, or always to the failure page.
    repeats_submit: bool = True
    # The result page shows what its address says, and amounts times 100.
    result_believes_address: bool = False


MANNERS = {
    "documented": Manners(),
    "faithful": Manners(
        uses_given_addresses=False,
        repeats_init=False,
        draws_id_again=False,
        tells_dates_at_init=False,
        announces_new=False,
        verifies_confirm_token=False,
        captures=False,
        limits_confirm=True,
        cancels=False,
        expires=False,
        repeats_submit=False,
        result_believes_address=True,
    ),
}
