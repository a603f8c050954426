-- name: write_audit
-- One line of the audit: $1 when, $2 who ('account:12', 'gateway', 'worker'), $3 what they did,
-- $4 to what ('order:5'), $5 details.
INSERT INTO audit (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5);

-- name: read_audit
-- The newest $2 lines about a subject ($1).
SELECT at, actor, action, subject, detail FROM audit
WHERE subject = $1
ORDER BY id DESC
LIMIT $2;
