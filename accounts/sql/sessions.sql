-- name: insert_session
-- Session $1 of account $2, from $3 until $4.
INSERT INTO session (id, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)

-- name: live_sessions
-- Of the sessions $1, those that were not ended and have not run out at $2, with their account.
SELECT s.id, a.role, a.email, a.first_name, a.surname
  FROM session s
  JOIN account a ON a.id = s.account_id
 WHERE s.id = ANY($1::text[])
   AND s.ended_at IS NULL
   AND s.expires_at > $2
   AND a.is_active

-- name: renew_session
-- Session $1 lasts until $2. No row: it was ended, and stays so.
UPDATE session SET expires_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id

-- name: end_session
-- Session $1 ends at $2.
UPDATE session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL

-- name: end_other_sessions
-- All sessions of account $1 but $2 end at $3. Comes back: their ids.
UPDATE session SET ended_at = $3 WHERE account_id = $1 AND id <> $2 AND ended_at IS NULL RETURNING id

-- name: end_sessions
-- All sessions of account $1 end at $2.
UPDATE session SET ended_at = $2 WHERE account_id = $1 AND ended_at IS NULL

-- name: sweep_sessions
-- Remove up to $2 sessions that ran out before $1. Comes back: their ids.
DELETE FROM session
 WHERE id IN (SELECT id FROM session WHERE expires_at < $1 LIMIT $2)
RETURNING id
