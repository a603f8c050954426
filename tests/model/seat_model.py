"""The seat commands once more, in plain Python: what Redis must say after each step.

Times are epoch milliseconds. A refused step changes nothing and answers the refusal's name.
"""

from dataclasses import dataclass, field

OK = "ok"


@dataclass
class ModelHold:
    account: int
    seats: list[int]
    expires: int
    latest: int
    frozen: bool = False


@dataclass
class SeatModel:
    capacity: int
    order_limit: int
    person_limit: int
    ttl: int
    holds: dict[int, ModelHold] = field(default_factory=dict)
    sold: dict[int, tuple[int, int]] = field(default_factory=dict)
    # What PostgreSQL has: seat → order, account, whether it is sold.
    claims: dict[int, tuple[int, int, bool]] = field(default_factory=dict)

    def holder(self, seat: int) -> tuple[int, int] | None:
        for order, hold in self.holds.items():
            if seat in hold.seats:
                return order, hold.account
        return self.sold.get(seat)

    def living(self, now: int) -> dict[int, ModelHold]:
        return {order: hold for order, hold in self.holds.items() if not self._over(hold, now)}

    def hold(self, now: int, order: int, account: int, seats: list[int]) -> str:  # noqa: PLR0911  # one answer a rule
        if len(seats) > self.order_limit:
            return "TooManySeats"
        living = self.living(now)
        own = living.get(order)
        if own and own.account != account:
            return "NotYourSeat"
        if own and own.frozen:
            return "HoldFrozen"
        had = own.seats if own else []
        added = [seat for seat in dict.fromkeys(seats) if seat not in had]
        if len(had) + len(added) > self.order_limit:
            return "TooManySeats"
        mine = [seat for hold in living.values() if hold.account == account for seat in hold.seats]
        owned = [seat for seat, (_, owner) in self.sold.items() if owner == account]
        if added and len(mine) + len(owned) + len(added) > self.person_limit:
            return "PersonLimit"
        busy = {seat for hold in living.values() for seat in hold.seats} | set(self.sold)
        if busy & set(added):
            return "SeatTaken"
        if added:
            self.holds = living
            latest = own.latest if own else now + 2 * self.ttl
            expires = max(own.expires if own else 0, min(now + self.ttl, latest))
            self.holds[order] = ModelHold(account, [*had, *added], expires, latest)
        return OK

    def release(self, order: int, account: int, seats: list[int] | None) -> str:
        own = self.holds.get(order)
        if own and own.account != account:
            return "NotYourSeat"
        mine = own.seats if own else []
        strange = [seat for seat in seats or [] if seat not in mine]
        holders = [self.holder(seat) for seat in strange]
        if any(holder and holder[1] != account for holder in holders):
            return "NotYourSeat"
        if own and own.frozen:
            return "HoldFrozen"
        if strange:
            return "SeatNotHeld"
        self._drop(order, mine if seats is None else seats)
        return OK

    def freeze(self, now: int, order: int, account: int, until: int) -> str:
        own = self.living(now).get(order)
        if own is None:
            return "HoldOver"
        if own.account != account:
            return "NotYourSeat"
        if own.frozen:
            until = max(own.expires, min(until, own.latest + until - now))
        own.expires = until
        own.frozen = True
        return OK

    def thaw(self, now: int, order: int) -> None:
        own = self.holds.get(order)
        if own and own.frozen:
            own.frozen = False
            own.expires = max(min(now + self.ttl, own.latest), now + 120_000)
            if own.latest:
                own.expires = min(own.expires, own.latest + 120_000)

    def claim(self, order: int, account: int, seats: list[int], until: int) -> None:
        for other in list(self.holds):
            if other != order:
                self._drop(other, seats)
        for seat in seats:
            self.claims[seat] = (order, account, False)
        own = self.holds.setdefault(order, ModelHold(account, [], until, 0))
        own.seats += [seat for seat in seats if seat not in own.seats]
        own.frozen, own.expires = True, until

    def sell(self, order: int) -> list[int]:
        seats = [seat for seat, claim in self.claims.items() if claim[0] == order]
        for seat in seats:
            _, account, _ = self.claims[seat]
            self.claims[seat] = (order, account, True)
            self.sold[seat] = (order, account)
        self._drop(order, seats)
        return seats

    def free(self, order: int, seats: list[int]) -> None:
        for seat in seats:
            if seat in self.claims and self.claims[seat][0] == order:
                del self.claims[seat]
            if seat in self.sold and self.sold[seat][0] == order:
                del self.sold[seat]
        self._drop(order, seats)

    def lapse(self, now: int) -> int:
        ended = 0
        for order, hold in list(self.holds.items()):
            claims = {seat: claim[2] for seat, claim in self.claims.items() if claim[0] == order}
            if hold.expires > now:
                continue
            if hold.frozen and claims:
                self._drop(order, [seat for seat in hold.seats if claims.get(seat) is not False])
                hold.expires = now + 900_000
            else:
                del self.holds[order]
                ended += 1
        return ended

    def refill(self, now: int, *, surviving: bool) -> None:
        """Redis is rebuilt from the claims; `surviving`: it kept what it had, but may be old."""
        decided = {claim[0] for claim in self.claims.values()}
        kept = {
            order: hold
            for order, hold in self.holds.items()
            if surviving and order not in decided and not set(hold.seats) & set(self.claims)
        }
        self.sold = {seat: claim[:2] for seat, claim in self.claims.items() if claim[2]}
        for seat, (order, account, sold) in self.claims.items():
            if not sold:
                hold = kept.setdefault(order, ModelHold(account, [], now + 900_000, 0, True))
                hold.seats.append(seat)
        self.holds = kept

    def reset(self) -> None:
        self.holds, self.sold, self.claims = {}, {}, {}

    def _drop(self, order: int, seats: list[int]) -> None:
        own = self.holds.get(order)
        if own:
            own.seats = [seat for seat in own.seats if seat not in seats]
            if not own.seats:
                del self.holds[order]

    @staticmethod
    def _over(hold: ModelHold, now: int) -> bool:
        return not hold.frozen and hold.expires <= now
