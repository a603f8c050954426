-- name: make_incoming_events
-- The batch under way, of this connection alone.
CREATE TEMP TABLE incoming_event (
    row integer, id bigint, title text, description text, kind text, provider text,
    starts_at timestamptz, local_day date, hall text, city text, look jsonb,
    digest uuid GENERATED ALWAYS AS (digest_of(title, description)) STORED
) ON COMMIT DELETE ROWS;

-- name: word_incoming_events
-- Texts that no event had before get their words indexed.
INSERT INTO wording (digest, words)
SELECT DISTINCT ON (digest) digest, array_to_tsvector(words_of(title || ' ' || description))
FROM incoming_event
WHERE NOT EXISTS (SELECT FROM wording WHERE wording.digest = incoming_event.digest)
ORDER BY digest
ON CONFLICT DO NOTHING;

-- name: put_incoming_events
-- Write the batch in the state $1; the last of two rows with one id wins. An event that is there
-- already keeps its hall and its state; where it says the same already, nothing is written. Ids of
-- those written, and whether each is new.
INSERT INTO event (id, title, description, kind, hall, city, provider, starts_at, local_day,
                   state, look, wording_id)
SELECT DISTINCT ON (incoming_event.id)
       incoming_event.id, title, description, kind, hall, city, provider, starts_at, local_day,
       $1, look, wording.id
FROM incoming_event JOIN wording USING (digest)
ORDER BY incoming_event.id, row DESC
ON CONFLICT (id) DO UPDATE SET
    title = excluded.title, description = excluded.description, kind = excluded.kind,
    provider = excluded.provider, starts_at = excluded.starts_at, local_day = excluded.local_day
WHERE (event.title, event.description, event.kind, event.provider, event.starts_at, event.local_day)
   IS DISTINCT FROM (excluded.title, excluded.description, excluded.kind, excluded.provider,
                     excluded.starts_at, excluded.local_day)
RETURNING id, xmax = 0 AS is_new;

-- name: put_incoming_zone
-- A zone of a new event.
INSERT INTO zone (event_id, zone_no, name, price, first_row, row_sizes, first_seat, seat_count)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING;
