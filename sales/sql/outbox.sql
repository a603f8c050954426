-- name: stage_notices
-- Stages one notice for each element of the arrays and rings the bell if one is due at once.
-- $1 kinds, $2 subjects, $3 payloads, $4 due moments, $5 now.
WITH staged AS (
    INSERT INTO notice (kind, subject_id, payload, due_at, created_at)
    SELECT kind, subject_id, payload, due_at, $5
    FROM unnest($1::text[], $2::bigint[], $3::jsonb[], $4::timestamptz[])
         AS fresh (kind, subject_id, payload, due_at)
    RETURNING due_at
)
SELECT pg_notify('biletter_notice', '') FROM staged WHERE due_at <= $5 LIMIT 1;

-- name: take_notices
-- Takes due notices by moving them ahead: a taker that dies gives them back by itself.
-- $1 now, $2 until when they are taken, $3 how many at most. Returns what was taken.
UPDATE notice
SET due_at = $2, attempts = attempts + 1
WHERE id = ANY (ARRAY(
    SELECT id FROM notice
    WHERE due_at <= $1 AND parked_at IS NULL
    ORDER BY due_at
    LIMIT $3
    FOR UPDATE SKIP LOCKED
))
RETURNING id, kind, subject_id, payload, attempts, created_at;

-- name: finish_notice
-- The notice ($1) is done.
DELETE FROM notice WHERE id = $1;

-- name: postpone_notice
-- The notice ($1) is looked at again at $2; $3 failures so far, $4 the last one or NULL.
UPDATE notice SET due_at = $2, attempts = $3, last_error = $4 WHERE id = $1;

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
-- Whether a notice is due at $1.
SELECT EXISTS (SELECT FROM notice WHERE due_at <= $1 AND parked_at IS NULL);

-- name: unpark_notice
-- Puts a notice ($1) that was set aside back in line at $2. Returns its id.
UPDATE notice SET parked_at = NULL, attempts = 0, due_at = $2
WHERE id = $1 AND parked_at IS NOT NULL
RETURNING id;
