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

-- name: list_allotments
-- What was given to us of an event ($1), zone by zone, what has become of it by now, and the report of
-- one that is over: NULL before. `returned_since`: tickets given back after it.
SELECT given.event_id, given.zone_no, given.channel, given.places, given.seats, given.deadline,
       given.state, given.version, zone.name, zone.seat_count, zone.first_seat,
       count(claim.seat) FILTER (WHERE claim.sold)::integer AS sold,
       count(claim.seat) FILTER (WHERE NOT claim.sold)::integer AS paying,
       coalesce(sum(line.price) FILTER (WHERE claim.sold), 0)::bigint AS revenue,
       report.given AS reported_given, report.sold AS reported_sold,
       report.returned AS reported_returned, report.revenue AS reported_revenue, report.reported_at,
       CASE WHEN report.sold IS NULL THEN 0
            ELSE report.sold - count(claim.seat) FILTER (WHERE claim.sold)::integer
       END AS returned_since
FROM allotment AS given
JOIN zone USING (event_id, zone_no)
LEFT JOIN allotment_report AS report USING (event_id, zone_no)
LEFT JOIN seat_claim AS claim ON claim.event_id = given.event_id
    AND claim.seat BETWEEN zone.first_seat AND zone.first_seat + zone.seat_count - 1
LEFT JOIN order_line AS line ON line.order_id = claim.order_id AND line.seat = claim.seat
WHERE given.event_id = $1
GROUP BY given.event_id, given.zone_no, zone.event_id, zone.zone_no, report.event_id, report.zone_no
ORDER BY given.zone_no;

-- name: list_sold_rows
-- The rows of an event ($1) that are sold of what was given to us: seats and the money paid for them.
SELECT line.zone_no, line.row_no, array_agg(line.seat_no ORDER BY line.seat_no) AS seats,
       sum(line.price)::bigint AS revenue
FROM seat_claim AS claim
JOIN order_line AS line ON line.order_id = claim.order_id AND line.seat = claim.seat
JOIN allotment AS given ON given.event_id = claim.event_id AND given.zone_no = line.zone_no
WHERE claim.event_id = $1 AND claim.sold
GROUP BY line.zone_no, line.row_no
ORDER BY line.zone_no, line.row_no;

-- name: list_reported_rows
-- The same, of the allotments of event $1 that are over, as it was then.
SELECT zone_no, sold_rows FROM allotment_report WHERE event_id = $1 ORDER BY zone_no;

-- name: lock_allotment
-- What was given to us of zone $2 of event $1, while nobody claims of it; how many places the zone has,
-- when the event begins, and the database's time.
SELECT given.places, given.seats IS NOT NULL AS is_listed, given.deadline, given.version,
       given.state = 'open' AND given.deadline > clock_timestamp() AS is_open,
       zone.seat_count, zone.first_seat, event.starts_at, clock_timestamp() AS now
FROM allotment AS given
JOIN zone USING (event_id, zone_no)
JOIN event ON event.id = given.event_id
WHERE given.event_id = $1 AND given.zone_no = $2
FOR UPDATE OF given;

-- name: count_claims
-- How many of the seats from $2 to $3 of event $1 are sold or being paid.
SELECT count(*) FROM seat_claim WHERE event_id = $1 AND seat BETWEEN $2 AND $3;

-- name: change_allotment
-- Of zone $2 of event $1 so many places ($3) are ours from now on, until $4.
UPDATE allotment SET places = $3, deadline = $4, version = version + 1, updated_at = now()
WHERE event_id = $1 AND zone_no = $2;

-- name: give_allotment
-- Of zone $2 of event $1 so many places ($4) are given to us, the seats $5 where they are listed, for
-- channel $3 until $6; nothing else of the event is ours from now on. No row where there is one already,
-- or no such zone, or a partner owns the seats.
WITH owned AS (
    UPDATE event SET ownership = 'allotment' WHERE id = $1 AND ownership <> 'partner' RETURNING id
)
INSERT INTO allotment (event_id, zone_no, channel, places, seats, deadline, given_at, updated_at)
SELECT zone.event_id, zone.zone_no, $3, $4, $5, $6, now(), now()
FROM zone JOIN owned ON owned.id = zone.event_id JOIN event ON event.id = zone.event_id
WHERE zone.zone_no = $2 AND $4 <= zone.seat_count AND $6 > now() AND $6 <= event.starts_at
ON CONFLICT (event_id, zone_no) DO NOTHING
RETURNING zone_no;

-- name: close_allotments
-- By the database's clock: of allotments whose deadline is there, at most $1, nothing new is held. Each
-- once. Returns them.
WITH due AS (
    SELECT event_id, zone_no FROM allotment
    WHERE state = 'open' AND deadline <= now()
    ORDER BY deadline
    LIMIT $1
    FOR UPDATE SKIP LOCKED
), closing AS (
    UPDATE allotment SET state = 'closing', version = version + 1, updated_at = now()
    FROM due WHERE allotment.event_id = due.event_id AND allotment.zone_no = due.zone_no
    RETURNING allotment.event_id, allotment.zone_no, allotment.deadline
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT now(), 'ticker', 'allotment.close', 'event:' || event_id,
           jsonb_build_object('zone', zone_no, 'deadline', deadline)
    FROM closing
)
SELECT event_id, zone_no FROM closing;

-- name: report_allotments
-- Allotments that are closing and of which nothing can be claimed ($2 seconds beyond a hold's longest)
-- nor is being paid any more, at most $1, are over: each is reported, once. A claim that was let
-- through a moment before has $3 seconds to be seen. Returns them.
WITH settled AS (
    SELECT given.event_id, given.zone_no, given.places, given.deadline,
           zone.first_seat, zone.first_seat + zone.seat_count - 1 AS last_seat
    FROM allotment AS given
    JOIN zone USING (event_id, zone_no)
    JOIN event ON event.id = given.event_id
    WHERE given.state = 'closing'
      AND given.deadline + make_interval(secs => 2 * event.hold_seconds + $2::int + $3::int) <= now()
      AND NOT EXISTS (
          SELECT FROM seat_claim AS claim
          WHERE claim.event_id = given.event_id AND NOT claim.sold
            AND claim.seat BETWEEN zone.first_seat AND zone.first_seat + zone.seat_count - 1)
    ORDER BY given.deadline
    LIMIT $1
    FOR UPDATE OF given SKIP LOCKED
), rows AS (
    SELECT settled.event_id, settled.zone_no, line.row_no, count(*) AS places,
           sum(line.price) AS revenue, array_agg(line.seat_no ORDER BY line.seat_no) AS seats
    FROM settled
    JOIN seat_claim AS claim ON claim.event_id = settled.event_id AND claim.sold
        AND claim.seat BETWEEN settled.first_seat AND settled.last_seat
    JOIN order_line AS line ON line.order_id = claim.order_id AND line.seat = claim.seat
    GROUP BY settled.event_id, settled.zone_no, line.row_no
), summed AS (
    SELECT event_id, zone_no, sum(places) AS sold, sum(revenue) AS revenue,
           jsonb_agg(jsonb_build_object('row', row_no, 'seats', seats, 'revenue', revenue)
                     ORDER BY row_no) AS sold_rows
    FROM rows GROUP BY event_id, zone_no
), reported AS (
    INSERT INTO allotment_report (event_id, zone_no, given, sold, returned, revenue, deadline,
                                  reported_at, sold_rows)
    SELECT event_id, zone_no, places, coalesce(sold, 0), places - coalesce(sold, 0),
           coalesce(revenue, 0), deadline, now(), coalesce(sold_rows, '[]')
    FROM settled LEFT JOIN summed USING (event_id, zone_no)
    RETURNING event_id, zone_no, given, sold, returned, revenue
), closed AS (
    UPDATE allotment SET state = 'closed', version = version + 1, updated_at = now()
    FROM reported
    WHERE allotment.event_id = reported.event_id AND allotment.zone_no = reported.zone_no
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT now(), 'ticker', 'allotment.report', 'event:' || event_id,
           jsonb_build_object('zone', zone_no, 'given', given, 'sold', sold, 'returned', returned,
                              'revenue', revenue)
    FROM reported
)
SELECT event_id, zone_no FROM reported;

-- name: list_ranks
-- How often the allotments of an event have changed in all, for events of which one is not over, or was
-- changed within a day; at most $1.
SELECT event_id, sum(version)::bigint AS rank FROM allotment
WHERE event_id IN (
    SELECT event_id FROM allotment
    WHERE state <> 'closed' OR updated_at > now() - interval '1 day')
GROUP BY event_id
ORDER BY event_id
LIMIT $1;

-- name: list_outside
-- Claims outside what was given to us, of event $2 or of all (NULL), by zone, at most $1: how many there are, and what was given.
SELECT event.id AS event_id, zone.zone_no, count(*) AS claims, coalesce(given.places, 0) AS places,
       count(*) FILTER (WHERE given.zone_no IS NULL OR claim.seat <> ALL (given.seats)) AS outside
FROM event
JOIN zone ON zone.event_id = event.id
JOIN seat_claim AS claim ON claim.event_id = zone.event_id
    AND claim.seat BETWEEN zone.first_seat AND zone.first_seat + zone.seat_count - 1
LEFT JOIN allotment AS given ON given.event_id = zone.event_id AND given.zone_no = zone.zone_no
WHERE event.ownership = 'allotment' AND ($2::bigint IS NULL OR event.id = $2)
GROUP BY event.id, zone.zone_no, given.event_id, given.zone_no
HAVING count(*) > coalesce(given.places, 0)
    OR bool_or(given.zone_no IS NULL OR claim.seat <> ALL (given.seats))
ORDER BY event.id, zone.zone_no
LIMIT $1;

-- name: read_time
-- The database's clock.
SELECT clock_timestamp();
