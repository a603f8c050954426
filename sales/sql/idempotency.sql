-- name: claim_key
-- Account $1 asks under key $2 with fingerprint $3 at $4, at work until $5; whatever is older than
-- $6 counts as gone. Returns a row if the question is this caller's to answer: a new key, or one
-- whose answerer has died.
INSERT INTO idempotency_key AS kept (account_id, key, fingerprint, created_at, claimed_until)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, key) DO UPDATE
SET fingerprint = excluded.fingerprint, created_at = excluded.created_at,
    claimed_until = excluded.claimed_until, status = NULL, headers = '{}', body = ''
WHERE kept.created_at < $6
   OR (kept.status IS NULL AND kept.claimed_until <= $4 AND kept.fingerprint = $3)
RETURNING 1;

-- name: read_key
-- What stands under key $2 of account $1.
SELECT fingerprint, claimed_until, status, headers, body
FROM idempotency_key WHERE account_id = $1 AND key = $2;

-- name: keep_answer
-- The answer under key $2 of account $1, claimed until $3: status $4, headers $5, body $6. Who has
-- lost the claim meanwhile changes nothing.
UPDATE idempotency_key SET status = $4, headers = $5, body = $6
WHERE account_id = $1 AND key = $2 AND claimed_until = $3 AND status IS NULL;

-- name: forget_key
-- There is no answer worth keeping under key $2 of account $1, claimed until $3.
DELETE FROM idempotency_key
WHERE account_id = $1 AND key = $2 AND claimed_until = $3 AND status IS NULL;

-- name: sweep_keys
-- Drops keys older than $1, at most $2. Returns how many.
WITH swept AS (
    DELETE FROM idempotency_key
    WHERE (account_id, key) IN (
        SELECT account_id, key FROM idempotency_key WHERE created_at < $1
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    RETURNING 1
)
SELECT count(*) FROM swept;
