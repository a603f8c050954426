-- name: stage_notices
-- Stages one notice for each element of the arrays and rings the bell if one is due at once.
-- $1 kinds, $2 subjects, $3 payloads, $4 due moments, $5 now, $6 lanes.
-- Forgets what needs no doing any more: notices of kinds $7 about subjects $8, pair by pair. One
-- that a worker is just closing is left to it.
WITH dropped AS (
    DELETE FROM notice WHERE id = ANY (ARRAY(
        SELECT notice.id FROM unnest($7::text[], $8::bigint[]) AS done (kind, subject_id)
        JOIN notice USING (kind, subject_id)
        WHERE parked_at IS NULL
        FOR UPDATE OF notice SKIP LOCKED
    ))
), staged AS (
    INSERT INTO notice (kind, subject_id, payload, due_at, created_at, lane)
    SELECT kind, subject_id, payload, due_at, $5, lane
    FROM unnest($1::text[], $2::bigint[], $3::jsonb[], $4::timestamptz[], $6::text[])
         AS fresh (kind, subject_id, payload, due_at, lane)
    RETURNING due_at
)
SELECT pg_notify('biletter_notice', '') FROM staged WHERE due_at <= $5 LIMIT 1;

-- name: stage_notice_once
-- Stages a notice, due at once, unless one of its kind about its subject is due already and nobody
-- has taken it yet: that one is going to see what this one would.
-- $1 kind, $2 subject, $3 payload, $4 now, $5 lane.
WITH staged AS (
    INSERT INTO notice (kind, subject_id, payload, due_at, created_at, lane)
    SELECT $1, $2, $3, $4, $4, $5
    WHERE NOT EXISTS (
        SELECT FROM notice
        WHERE subject_id = $2 AND kind = $1 AND due_at <= $4 AND parked_at IS NULL
    )
    RETURNING id
)
SELECT pg_notify('biletter_notice', '') FROM staged;

-- name: take_notices
-- Takes due notices by moving them ahead: a taker that dies gives them back by itself.
-- $1 now; of each lane ($2) at most so many ($3), until that moment ($4). Returns what was taken.
UPDATE notice
SET due_at = $4, attempts = attempts + 1
-- An array, not a join: who plans without the numbers would read the whole table.
WHERE id = ANY (ARRAY(
    SELECT free.id
    FROM unnest($2::text[], $3::int[]) AS one (name, room), LATERAL (
        SELECT id FROM notice
        WHERE lane = one.name AND due_at <= $1 AND parked_at IS NULL
        ORDER BY due_at
        LIMIT one.room
        FOR UPDATE SKIP LOCKED
    ) AS free
))
RETURNING id, lane, kind, subject_id, payload, attempts, created_at;

-- name: keep_notices
-- The notices ($1), taken until $2, are still in hand: they stay so until $3. One that was ended,
-- put off or taken by somebody else meanwhile is left alone.
UPDATE notice SET due_at = $3
FROM unnest($1::bigint[], $2::timestamptz[]) AS kept (id, until)
WHERE notice.id = kept.id AND notice.due_at = kept.until
RETURNING notice.id;

-- name: finish_notices
-- The notices ($1) are done. One that is being dropped elsewhere this moment is left to that.
DELETE FROM notice WHERE id = ANY (ARRAY(
    SELECT id FROM notice WHERE id = ANY ($1::bigint[]) FOR UPDATE SKIP LOCKED
));

-- name: postpone_notices
-- Notices ($1) are looked at again at their moments ($2); $3 failures so far, $4 the last error of
-- each or NULL.
UPDATE notice SET due_at = later.due_at, attempts = later.attempts, last_error = later.error
FROM unnest($1::bigint[], $2::timestamptz[], $3::int[], $4::text[])
     AS later (id, due_at, attempts, error)
WHERE notice.id = later.id;

-- name: park_notice
-- Sets the notice ($1) aside at $2 because of $3, for staff to see, and says so in the audit.
WITH parked AS (
    UPDATE notice SET parked_at = $2, last_error = $3 WHERE id = $1
    RETURNING id, kind, subject_id
)
INSERT INTO audit (at, actor, action, subject, detail)
SELECT $2, 'worker', 'notice.park', 'notice:' || id,
       jsonb_build_object('kind', kind, 'subject_id', subject_id, 'error', $3::text)
FROM parked;

-- name: any_notice_due
-- Whether in one of the lanes ($2) a notice is due at $1.
SELECT EXISTS (
    SELECT FROM unnest($2::text[]) AS one (lane), LATERAL (
        SELECT FROM notice
        WHERE notice.lane = one.lane AND due_at <= $1 AND parked_at IS NULL
        ORDER BY due_at
        LIMIT 1
    ) AS due
);

-- name: measure_lanes
-- Of each lane ($2): how many notices are due at $1 and how many are set aside (both counted up to
-- $3), and since when the one that has waited longest is due.
SELECT one.lane,
       (SELECT count(*) FROM (
           SELECT FROM notice
           WHERE notice.lane = one.lane AND due_at <= $1 AND parked_at IS NULL LIMIT $3
       ) AS found) AS due,
       (SELECT count(*) FROM (
           SELECT FROM notice WHERE notice.lane = one.lane AND parked_at IS NOT NULL LIMIT $3
       ) AS found) AS parked,
       (SELECT min(due_at) FROM notice
        WHERE notice.lane = one.lane AND due_at <= $1 AND parked_at IS NULL) AS due_since
FROM unnest($2::text[]) AS one (lane);

-- name: list_parked
-- The notices that are set aside, the newest $2 below the id $1; of the kind $3 alone, if not NULL.
SELECT id, lane, kind, subject_id, payload, attempts, created_at, parked_at, last_error
FROM notice
WHERE parked_at IS NOT NULL AND id < $1 AND ($3::text IS NULL OR kind = $3)
ORDER BY id DESC
LIMIT $2;

-- name: read_parked
-- One notice ($1), if it is set aside.
SELECT id, lane, kind, subject_id, payload, attempts, created_at, parked_at, last_error
FROM notice WHERE id = $1 AND parked_at IS NOT NULL;

-- name: unpark_notice
-- Puts a notice ($1) that was set aside back in line at $2 and rings. Returns what it was.
WITH back AS (
    UPDATE notice SET parked_at = NULL, attempts = 0, due_at = $2
    WHERE id = $1 AND parked_at IS NOT NULL
    RETURNING kind, subject_id, last_error
)
SELECT kind, subject_id, last_error, pg_notify('biletter_notice', '') FROM back;

-- name: close_parked
-- Forgets a notice ($1) that was set aside. Returns all of it, for the audit.
DELETE FROM notice WHERE id = $1 AND parked_at IS NOT NULL
RETURNING kind, subject_id, payload, attempts, last_error, created_at;
