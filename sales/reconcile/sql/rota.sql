-- name: enrol_run
-- Makes the row of a reconciler ($1), due first at $2, if it is not there.
INSERT INTO reconcile_run (what, due_at) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: lease_run
-- Takes a reconciler ($1) that is due at $2 for leader $3 until $4, unless another one has it.
-- Returns where to go on, and since when this run is under way.
UPDATE reconcile_run
SET leader = $3, leased_until = $4,
    started_at = CASE WHEN cursor IS NULL THEN $2 ELSE started_at END,
    looked_at = CASE WHEN cursor IS NULL THEN 0 ELSE looked_at END,
    found = CASE WHEN cursor IS NULL THEN 0 ELSE found END
WHERE what = $1 AND due_at <= $2 AND (leased_until <= $2 OR leader = $3)
RETURNING cursor, started_at;

-- name: save_run
-- A page of a run ($1) is done by its leader ($2): go on at $3; leased until $4; $5 things were
-- looked at and $6 found. Returns a row as long as the lease is still the leader's.
UPDATE reconcile_run
SET cursor = $3, leased_until = $4, looked_at = looked_at + $5, found = found + $6
WHERE what = $1 AND leader = $2
RETURNING what;

-- name: finish_run
-- A run ($1) of its leader ($2) is complete at $3; the next one is due at $4. Its last page looked at
-- $5 things and found $6.
UPDATE reconcile_run
SET cursor = NULL, finished_at = $3, due_at = $4, leased_until = '-infinity',
    looked_at = looked_at + $5, found = found + $6
WHERE what = $1 AND leader = $2;

-- name: list_runs
-- How far each reconciler has got.
SELECT what, due_at, cursor IS NOT NULL AS under_way, started_at, finished_at, looked_at, found
FROM reconcile_run ORDER BY what;
