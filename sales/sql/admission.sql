-- name: open_admission
-- Redeems pass $2 of event $1 for subject $3 at $4, until $5. No row: it was redeemed before.
INSERT INTO admission (event_id, jti, subject, opened_at, expires_at, lease_until)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT DO NOTHING
RETURNING event_id, jti, subject, expires_at, lease_until, ended_at;

-- name: read_admission
-- The visit that pass $2 of event $1 opened, over or not.
SELECT event_id, jti, subject, expires_at, lease_until, ended_at
FROM admission WHERE event_id = $1 AND jti = $2;

-- name: read_visit
-- The visit to event $1 of one of the subjects $2 that goes on now ($3); the longest, if several.
SELECT event_id, jti, subject, expires_at, lease_until, ended_at
FROM admission
WHERE event_id = $1 AND subject = ANY ($2::text[]) AND ended_at IS NULL AND expires_at > $3
ORDER BY expires_at DESC
LIMIT 1;

-- name: keep_admission
-- The visit of pass $2 to event $1 lasts at least until $3, as far as its lease goes, if it is
-- not over now ($4).
UPDATE admission SET expires_at = least(lease_until, greatest(expires_at, $3))
WHERE event_id = $1 AND jti = $2 AND ended_at IS NULL AND expires_at > $4;

-- name: shorten_admission
-- The visit of pass $2 to event $1 is over at $3 at the latest.
UPDATE admission SET expires_at = least(expires_at, $3)
WHERE event_id = $1 AND jti = $2 AND ended_at IS NULL;

-- name: end_admission
-- Ends the visit of pass $2 to event $1 at $3. Returns its subject; no row when it was over.
UPDATE admission SET ended_at = $3, expires_at = least(expires_at, $3)
WHERE event_id = $1 AND jti = $2 AND ended_at IS NULL
RETURNING subject;

-- name: lapse_admissions
-- Ends visits whose time is over at $1, at most $2. Returns event, pass and subject of each.
UPDATE admission SET ended_at = $1
WHERE (event_id, jti) IN (
    SELECT event_id, jti FROM admission
    WHERE ended_at IS NULL AND expires_at <= $1
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
RETURNING event_id, jti, subject;
