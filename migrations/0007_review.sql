-- What the reconcilers find: differences that staff look at, and how far each of them has got.

CREATE TABLE review_item (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Which difference; its words stand in sales/reconcile/kinds.py.
    kind       text NOT NULL CHECK (length(kind) <= 40),
    -- 'event:1', 'payment:12', 'order:7', 'lane:money', 'day:2026-11-22'.
    subject    text NOT NULL CHECK (length(subject) <= 100),
    found      jsonb NOT NULL DEFAULT '{}',
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    first_seen timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    -- How many times it was found.
    seen       integer NOT NULL DEFAULT 1,
    closed_at  timestamptz,
    -- 'account:12', or 'reconciler': repaired, or gone by itself.
    closed_by  text CHECK (length(closed_by) <= 100),
    note       text CHECK (length(note) <= 500),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL AND closed_by IS NOT NULL))
);
-- One open item for each difference.
CREATE UNIQUE INDEX review_item_open ON review_item (kind, subject) WHERE state = 'open';
CREATE INDEX review_item_subject ON review_item (kind, subject, id DESC);

-- One row a reconciler. Whoever holds the lease runs it; a page at a time, from the cursor on.
CREATE TABLE reconcile_run (
    what         text PRIMARY KEY CHECK (length(what) <= 40),
    due_at       timestamptz NOT NULL,
    leader       text CHECK (length(leader) <= 100),
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    -- Where the run under way goes on; NULL between runs.
    cursor       jsonb,
    started_at   timestamptz,
    finished_at  timestamptz,
    -- What the last complete run looked at, and what it found.
    looked_at    bigint NOT NULL DEFAULT 0,
    found        bigint NOT NULL DEFAULT 0
);

-- Orders that wait for their money: few at any moment, and asked for by their age.
CREATE INDEX orders_pending ON orders (expires_at) WHERE state = 'pending';
-- The payments of a day, for the nightly comparison with the gateway.
CREATE INDEX payment_day ON payment (created_at, id);
