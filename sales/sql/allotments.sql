-- name: list_given
-- Of an event ($1) whose hall's owner has given us a part: one row a zone, in seat order; version 0 and
-- no places where nothing was given. No row at all where all seats are ours.
SELECT zone.zone_no, zone.first_seat, zone.seat_count, coalesce(given.places, 0) AS places,
       coalesce(given.channel, 'any') AS channel, given.seats,
       coalesce(given.state = 'open' AND given.deadline > now(), false) AS is_open,
       coalesce(given.version, 0) AS version
FROM event
JOIN zone ON zone.event_id = event.id
LEFT JOIN allotment AS given ON given.event_id = zone.event_id AND given.zone_no = zone.zone_no
WHERE event.id = $1 AND event.ownership = 'allotment'
ORDER BY zone.zone_no;

-- name: lock_allotments
-- What was given to us of the zones of the seats ($2) of event $1 stays as it is while this transaction
-- lasts, and one at a time claims of it. In one order, so that nobody waits in a ring.
SELECT allotment.zone_no
FROM allotment JOIN zone USING (event_id, zone_no)
WHERE event_id = $1 AND EXISTS (
    SELECT FROM unnest($2::int[]) AS wanted (seat)
    WHERE seat BETWEEN first_seat AND first_seat + seat_count - 1)
ORDER BY zone_no
FOR UPDATE OF allotment;

-- name: measure_allotments
-- The zones of the seats ($2) of event $1, where only a part of it was given to us: which of the seats
-- are not among what channel $3 may sell, how many are wanted, how many are claimed already, how many
-- were given, and whether they may still be claimed: a hold made before the deadline may be paid for
-- as long as it could last, and $4 seconds.
SELECT zone.zone_no, coalesce(given.places, 0) AS places, count(*) AS wanted,
       coalesce(array_agg(seat) FILTER (WHERE given.zone_no IS NULL
           OR given.channel NOT IN ('any', $3) OR seat <> ALL (given.seats)), '{}') AS outside,
       coalesce(given.state <> 'closed' AND clock_timestamp() < given.deadline
           + make_interval(secs => 2 * event.hold_seconds + $4::int), false) AS is_open,
       (SELECT count(*) FROM seat_claim AS claim
        WHERE claim.event_id = $1
          AND claim.seat BETWEEN zone.first_seat AND zone.first_seat + zone.seat_count - 1) AS taken
FROM event
JOIN zone ON zone.event_id = event.id
JOIN unnest($2::int[]) AS wanted (seat)
    ON seat BETWEEN zone.first_seat AND zone.first_seat + zone.seat_count - 1
LEFT JOIN allotment AS given ON given.event_id = zone.event_id AND given.zone_no = zone.zone_no
WHERE event.id = $1 AND event.ownership = 'allotment'
GROUP BY zone.zone_no, zone.first_seat, zone.seat_count, given.zone_no, given.places, given.state,
         given.deadline, event.hold_seconds
ORDER BY zone.zone_no;
