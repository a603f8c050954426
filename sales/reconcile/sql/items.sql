-- name: report_differences
-- Differences found at $4, one for each element of $1 kinds, $2 subjects, $3 what was found. An open
-- item is seen once more; one that a person has closed stays closed as long as the same is found;
-- anything else opens a new item. Returns the ids of new ones.
WITH given AS (
    SELECT kind, subject, found
    FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS given (kind, subject, found)
), seen AS (
    UPDATE review_item AS item SET last_seen = $4, seen = item.seen + 1, found = given.found
    FROM given
    WHERE item.id = (
        SELECT id FROM review_item AS newest
        WHERE newest.kind = given.kind AND newest.subject = given.subject
        ORDER BY id DESC
        LIMIT 1
    ) AND (item.state = 'open'
           OR (item.closed_by <> 'reconciler' AND item.found = given.found))
    RETURNING item.kind, item.subject
)
INSERT INTO review_item (kind, subject, found, first_seen, last_seen)
SELECT kind, subject, found, $4, $4 FROM given
WHERE NOT EXISTS (
    SELECT FROM seen WHERE seen.kind = given.kind AND seen.subject = given.subject
)
ON CONFLICT (kind, subject) WHERE state = 'open' DO NOTHING
RETURNING id;

-- name: tell_repaired
-- Differences that were repaired at $4, closed from the beginning: $1 kinds, $2 subjects, $3 found.
INSERT INTO review_item (kind, subject, found, state, first_seen, last_seen, closed_at, closed_by)
SELECT kind, subject, found, 'closed', $4, $4, $4, 'reconciler'
FROM unnest($1::text[], $2::text[], $3::jsonb[]) AS given (kind, subject, found);

-- name: close_vanished
-- Open items of kinds $1, about subject $2 alone if not NULL, not seen since $3: they are gone by
-- themselves, and closed at $4, which is audited. Returns their ids.
WITH gone AS (
    UPDATE review_item SET state = 'closed', closed_at = $4, closed_by = 'reconciler'
    WHERE state = 'open' AND kind = ANY ($1::text[]) AND last_seen < $3
      AND ($2::text IS NULL OR subject = $2)
    RETURNING id, kind, subject
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $4, 'reconciler', 'review.vanish', 'review:' || id,
           jsonb_build_object('kind', kind, 'about', subject)
    FROM gone
)
SELECT id FROM gone;

-- name: list_items
-- The newest $2 items below the id $1, in state $3, of kind $4; NULL for any.
SELECT id, kind, subject, found, state, first_seen, last_seen, seen, closed_at, closed_by, note
FROM review_item
WHERE id < $1 AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR kind = $4)
ORDER BY id DESC
LIMIT $2;

-- name: read_item
-- One item ($1).
SELECT id, kind, subject, found, state, first_seen, last_seen, seen, closed_at, closed_by, note
FROM review_item WHERE id = $1;

-- name: close_item
-- A person ($3) closes an open item ($1) at $2 with note $4. Returns what it was.
UPDATE review_item SET state = 'closed', closed_at = $2, closed_by = $3, note = $4
WHERE id = $1 AND state = 'open'
RETURNING kind, subject AS about, found;

-- name: count_open
-- Open items by kind.
SELECT kind, count(*) AS open FROM review_item WHERE state = 'open' GROUP BY kind;

-- name: forget_items
-- Drops closed items ($2 at most) that were last seen before $1.
DELETE FROM review_item WHERE id = ANY (ARRAY(
    SELECT id FROM review_item WHERE state = 'closed' AND last_seen < $1 LIMIT $2
));
