-- Halls whose seats a partner owns: which place of the partner's each seat is, and the partner's
-- orders by which seats are ours there (ADR 24).

CREATE TABLE partner_hall (
    event_id     bigint PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    -- The partner's own address; NULL: EVENT_PROVIDER.
    base_url     text CHECK (length(base_url) BETWEEN 8 AND 300),
    connected_at timestamptz NOT NULL,
    -- Since when selected places no longer join their orders there: nothing is sold meanwhile.
    sick_since   timestamptz
);

CREATE TABLE partner_place (
    event_id bigint NOT NULL REFERENCES partner_hall ON DELETE CASCADE,
    seat     integer NOT NULL CHECK (seat >= 0),
    place_id uuid NOT NULL,
    -- As the partner counts them.
    row_no   integer NOT NULL,
    seat_no  integer NOT NULL,
    PRIMARY KEY (event_id, seat)
);

-- An order of ours at the partner: always of one place. It outlives the order of ours that it was
-- made for, and serves whoever holds the seat next.
CREATE TABLE partner_order (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id       bigint NOT NULL,
    seat           integer NOT NULL CHECK (seat >= 0),
    place_id       uuid NOT NULL,
    provider_order uuid NOT NULL UNIQUE,
    -- Which order of ours it serves, or served last. Not a reference: a reset empties orders.
    order_id       bigint NOT NULL,
    state          text NOT NULL CHECK (state IN (
        'asked', 'held', 'submitted', 'confirmed', 'cancelled', 'refused')),
    version        integer NOT NULL DEFAULT 1,
    -- A call that changes it, written before it is made. Past its time the outcome is in doubt.
    call           text CHECK (call IN ('select', 'submit', 'confirm', 'cancel')),
    calling_until  timestamptz,
    asked_at       timestamptz NOT NULL,
    selected_at    timestamptz,
    -- When the partner's order was first seen to have its place.
    settled_at     timestamptz,
    updated_at     timestamptz NOT NULL,
    last_error     text CHECK (length(last_error) <= 300),
    CHECK ((call IS NULL) = (calling_until IS NULL))
);
-- One living order a seat.
CREATE UNIQUE INDEX partner_order_living ON partner_order (event_id, seat)
    WHERE state NOT IN ('refused', 'cancelled');
CREATE INDEX partner_order_of ON partner_order (order_id);
-- What is still on its way.
CREATE INDEX partner_order_moving ON partner_order (id)
    WHERE state NOT IN ('refused', 'cancelled', 'confirmed');
CREATE INDEX partner_order_ended ON partner_order (event_id, updated_at)
    WHERE state IN ('refused', 'cancelled');
