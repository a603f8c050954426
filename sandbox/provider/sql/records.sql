-- name: make_tables
-- The whole of the stand-in's memory. What is `shown` is the read model; all else decides at once.
-- A message is what has been written and is not shown yet.
CREATE TABLE IF NOT EXISTS place (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    hall INTEGER NOT NULL,
    row INTEGER NOT NULL,
    seat INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    order_id TEXT,
    shown INTEGER NOT NULL DEFAULT 0,
    shown_free INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS place_listed ON place (hall, row, seat, seq) WHERE shown = 1;

CREATE TABLE IF NOT EXISTS orders (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    hall INTEGER NOT NULL,
    status TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    started_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    shown_status TEXT,
    shown_updated_ms INTEGER,
    shown_count INTEGER
);
CREATE INDEX IF NOT EXISTS orders_hall ON orders (hall, status);
CREATE TABLE IF NOT EXISTS order_place (
    order_id TEXT NOT NULL,
    place_id TEXT NOT NULL,
    PRIMARY KEY (order_id, place_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    hall INTEGER NOT NULL,
    kind TEXT NOT NULL,
    aggregate TEXT NOT NULL,
    revision INTEGER NOT NULL,
    what TEXT NOT NULL,
    subject TEXT,
    status TEXT,
    count INTEGER,
    at_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS message_due ON message (hall, kind, due_ms, seq);
CREATE INDEX IF NOT EXISTS message_revision ON message (hall, kind, revision, seq);
CREATE INDEX IF NOT EXISTS message_aggregate ON message (aggregate, due_ms);
CREATE TABLE IF NOT EXISTS setting (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- name: add_place
-- A new place: free, not listed before its message has travelled, unless it is shown at once.
INSERT INTO place (id, hall, row, seat, shown) VALUES (:id, :hall, :row, :seat, :shown);

-- name: find_place
-- A place of a hall as it is decided.
SELECT id, row, seat, revision, order_id FROM place WHERE id = :id AND hall = :hall;

-- name: take_place
-- Select or free a place; no row when somebody changed it since it was read.
UPDATE place SET order_id = :order_id, revision = revision + 1
WHERE id = :id AND revision = :revision;

-- name: list_taken
-- The places that an order has, with what decides a change of them.
SELECT place.id, place.revision FROM order_place
JOIN place ON place.id = order_place.place_id AND place.order_id = order_place.order_id
WHERE order_place.order_id = :order_id ORDER BY place.seq;

-- name: show_place
-- Put a place into the read model.
UPDATE place SET shown = 1, shown_free = :free WHERE id = :id;

-- name: list_places
-- One page of the read model, by row and seat.
SELECT id, row, seat, shown_free FROM place
WHERE hall = :hall AND shown = 1 ORDER BY row, seat, seq LIMIT :limit OFFSET :offset;

-- name: find_shown_place
-- A place of the read model.
SELECT id, row, seat, shown_free FROM place WHERE id = :id AND hall = :hall AND shown = 1;

-- name: add_order
-- A new order, not shown before its message has travelled.
INSERT INTO orders (id, hall, status, started_ms, updated_ms)
VALUES (:id, :hall, 'STARTED', :at_ms, :at_ms);

-- name: find_order
-- An order of a hall as it is decided, and how many places have joined it.
SELECT id, status, revision,
       (SELECT count(*) FROM order_place WHERE order_id = orders.id) AS count
FROM orders WHERE id = :id AND hall = :hall;

-- name: move_order
-- Change an order; no row when somebody changed it since it was read.
UPDATE orders SET status = :status, revision = revision + 1, updated_ms = :at_ms
WHERE id = :id AND revision = :revision;

-- name: has_joined
-- Whether a place has joined an order.
SELECT 1 FROM order_place WHERE order_id = :order_id AND place_id = :place_id;

-- name: join_order
-- Add a place to an order.
INSERT OR IGNORE INTO order_place (order_id, place_id) VALUES (:order_id, :place_id);

-- name: leave_order
-- Take a place out of an order.
DELETE FROM order_place WHERE order_id = :order_id AND place_id = :place_id;

-- name: show_order
-- Put an order into the read model.
UPDATE orders SET shown_status = :status, shown_updated_ms = :at_ms, shown_count = :count
WHERE id = :id;

-- name: find_shown_order
-- An order of the read model.
SELECT id, shown_status, started_ms, shown_updated_ms, shown_count FROM orders
WHERE id = :id AND hall = :hall AND shown_status IS NOT NULL;

-- name: add_message
-- Write down what has to travel; never due before an earlier one of the same place or order.
INSERT INTO message (hall, kind, aggregate, revision, what, subject, status, count, at_ms, due_ms)
VALUES (:hall, :kind, :aggregate, :revision, :what, :subject, :status, :count, :at_ms,
        max(:due_ms, coalesce((SELECT max(due_ms) FROM message WHERE aggregate = :aggregate), 0)));

-- name: list_due
-- Messages of a hall whose time has come, in their order.
SELECT * FROM message WHERE hall = :hall AND kind = :kind AND due_ms <= :now_ms
ORDER BY due_ms, seq LIMIT :limit;

-- name: list_due_unfair
-- Messages of a hall whose time has come, lowest revisions first, over all places or orders.
SELECT * FROM message WHERE hall = :hall AND kind = :kind AND due_ms <= :now_ms
ORDER BY revision, seq LIMIT :limit;

-- name: drop_message
-- A message that has arrived.
DELETE FROM message WHERE seq = :seq;

-- name: has_message
-- Whether a hall has messages under way.
SELECT 1 FROM message WHERE hall = :hall LIMIT 1;

-- name: list_waiting
-- Halls that have messages under way.
SELECT DISTINCT hall FROM message;

-- name: count_hall
-- What a hall has, for people and checkers: `lost` are places held by an order that is over
-- and does not know them.
SELECT
    (SELECT count(*) FROM place WHERE hall = :hall) AS places,
    (SELECT count(*) FROM place WHERE hall = :hall AND order_id IS NULL) AS free,
    (SELECT count(*) FROM place JOIN orders ON orders.id = place.order_id
     WHERE place.hall = :hall AND orders.status <> 'STARTED' AND NOT EXISTS (
         SELECT 1 FROM order_place
         WHERE order_place.order_id = orders.id AND place_id = place.id)) AS lost,
    (SELECT count(*) FROM message WHERE hall = :hall) AS under_way;

-- name: count_orders
-- How many orders of a hall stand in each status.
SELECT status, count(*) AS count FROM orders WHERE hall = :hall GROUP BY status;

-- name: list_halls
-- Halls that have a place or an order.
SELECT hall FROM place UNION SELECT hall FROM orders ORDER BY hall;

-- name: list_truth
-- Places of a hall as they are decided, by a running number: for checkers.
SELECT place.seq, place.id, row, seat, place.order_id, orders.status,
       order_place.place_id IS NOT NULL AS joined
FROM place
LEFT JOIN orders ON orders.id = place.order_id
LEFT JOIN order_place ON order_place.order_id = place.order_id AND order_place.place_id = place.id
WHERE place.hall = :hall AND place.seq > :after ORDER BY place.seq LIMIT :limit;

-- name: clear_joined
-- Forget what the orders of a hall consist of.
DELETE FROM order_place WHERE order_id IN (SELECT id FROM orders WHERE hall = :hall);

-- name: clear_messages
-- Forget what is under way in a hall.
DELETE FROM message WHERE hall = :hall;

-- name: clear_orders
-- Forget the orders of a hall.
DELETE FROM orders WHERE hall = :hall;

-- name: free_places
-- All places of a hall are free and shown as such.
UPDATE place SET order_id = NULL, revision = revision + 1, shown = 1, shown_free = 1
WHERE hall = :hall AND (order_id IS NOT NULL OR shown_free = 0 OR shown = 0);

-- name: clear_places
-- Forget the places of a hall.
DELETE FROM place WHERE hall = :hall;

-- name: find_setting
-- What is kept under a name.
SELECT value FROM setting WHERE name = :name;

-- name: keep_setting
-- Keep a value under a name.
INSERT INTO setting (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;
