-- Events that are cancelled or moved.

ALTER TABLE event
    -- When it was to begin first, where it was moved since.
    ADD COLUMN moved_from timestamptz,
    ADD COLUMN cancelled_at timestamptz;

-- Orders of a cancelled event whose money could not be given back, for staff to see.
CREATE TABLE cancellation_failure (
    event_id bigint NOT NULL,
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
    error    text NOT NULL CHECK (length(error) <= 300),
    at       timestamptz NOT NULL,
    PRIMARY KEY (event_id, order_id)
);
