-- name: insert_line
-- One line of the audit: $1 when, $2 who, $3 what they do, $4 to what, $5 details. Comes back: its id.
INSERT INTO audit (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5) RETURNING id

-- name: set_outcome
-- How the deed of line $1 ended: $2.
UPDATE audit SET detail = jsonb_set(detail, '{outcome}', to_jsonb($2::text)) WHERE id = $1

-- name: lines_about
-- The newest $3 lines about the subjects $1 below the id $2.
SELECT id, at, actor, action, subject, detail
  FROM audit
 WHERE subject = ANY($1::text[]) AND id < $2
 ORDER BY id DESC
 LIMIT $3

-- name: lines
-- The newest $2 lines below the id $1.
SELECT id, at, actor, action, subject, detail
  FROM audit
 WHERE id < $1
 ORDER BY id DESC
 LIMIT $2

-- name: lines_of_staff
-- The newest $2 lines below the id $1 of what staff did: here, where the line names who, or by the
-- command line.
SELECT id, at, actor, action, subject, detail
  FROM audit
 WHERE (detail ? 'by' OR actor = 'cli') AND id < $1
 ORDER BY id DESC
 LIMIT $2
