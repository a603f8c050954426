-- name: make_tables
-- The whole of the stand-in's memory. Amounts are decimals as the merchant wrote them, in tiyn.
CREATE TABLE IF NOT EXISTS payment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_id TEXT NOT NULL UNIQUE,
    team_slug TEXT NOT NULL,
    order_id TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    pay_type TEXT,
    description TEXT,
    success_url TEXT,
    fail_url TEXT,
    notification_url TEXT,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    UNIQUE (team_slug, order_id)
);
CREATE INDEX IF NOT EXISTS payment_due ON payment (expires_ms)
    WHERE status IN ('NEW', 'FORM_SHOWED');
CREATE INDEX IF NOT EXISTS payment_status ON payment (status);
CREATE INDEX IF NOT EXISTS payment_created ON payment (created_ms);
CREATE TABLE IF NOT EXISTS change (
    payment_id TEXT NOT NULL REFERENCES payment (payment_id) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    status TEXT NOT NULL,
    cause TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS change_payment ON change (payment_id);
CREATE TABLE IF NOT EXISTS reply (
    verb TEXT NOT NULL,
    key TEXT NOT NULL,
    payment_id TEXT NOT NULL REFERENCES payment (payment_id) ON DELETE CASCADE,
    at_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (verb, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reply_payment ON reply (payment_id);
CREATE TABLE IF NOT EXISTS letter (
    letter_id INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_id TEXT NOT NULL REFERENCES payment (payment_id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS letter_payment ON letter (payment_id);
CREATE TABLE IF NOT EXISTS setting (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- name: add_payment
-- One row, or none when the payment id or the merchant's order id is taken.
INSERT INTO payment (
    payment_id, team_slug, order_id, amount, currency, status, reason, pay_type, description,
    success_url, fail_url, notification_url, created_ms, updated_ms, expires_ms
) VALUES (
    :payment_id, :team_slug, :order_id, :amount, :currency, :status, :reason, :pay_type,
    :description, :success_url, :fail_url, :notification_url, :created_ms, :updated_ms, :expires_ms
) ON CONFLICT DO NOTHING;

-- name: find_payment
-- The payment of this id.
SELECT * FROM payment WHERE payment_id = :payment_id;

-- name: find_order
-- The merchant's payment of this order id.
SELECT * FROM payment WHERE team_slug = :team_slug AND order_id = :order_id;

-- name: move_payment
-- Compare and set: the payment as it is now, or no row when it had left that status.
UPDATE payment SET status = :status, reason = :cause, updated_ms = :at_ms
WHERE payment_id = :payment_id AND status = :expected RETURNING *;

-- name: add_change
-- One line of the payment's history.
INSERT INTO change (payment_id, at_ms, status, cause)
VALUES (:payment_id, :at_ms, :status, :cause);

-- name: list_due
-- Payments whose time is over, the longest over first.
SELECT * FROM payment
WHERE status IN ('NEW', 'FORM_SHOWED') AND expires_ms <= :now_ms
ORDER BY expires_ms LIMIT :limit;

-- name: list_page
-- Payments after the given one, in order of creation.
SELECT * FROM payment WHERE seq > :after AND (:status IS NULL OR status = :status)
ORDER BY seq LIMIT :limit;

-- name: list_recent
-- The latest payments, newest first.
SELECT * FROM payment ORDER BY seq DESC LIMIT :limit;

-- name: list_history
-- The history of the payments between two sequence numbers, each in its own order.
SELECT change.payment_id, change.at_ms, change.status, change.cause
FROM payment JOIN change USING (payment_id)
WHERE payment.seq BETWEEN :first AND :last ORDER BY change.rowid;

-- name: sum_by_status
-- For each status: how many payments, and their amounts together.
SELECT status, count(*), sum(CAST(amount AS NUMERIC)) FROM payment GROUP BY status;

-- name: sum_since
-- How many payments were created since then, and their amounts together.
SELECT count(*), coalesce(sum(CAST(amount AS NUMERIC)), 0) FROM payment
WHERE created_ms >= :since_ms;

-- name: count_open
-- Payments neither finished nor captured; abandoned ones never leave (faithful profile).
SELECT count(*) FROM payment WHERE status IN ('NEW', 'FORM_SHOWED', 'AUTHORIZED');

-- name: clear_payments
-- Forget every payment; histories, replies and letters go with them.
DELETE FROM payment;

-- name: find_reply
-- The answer given to this idempotency key not long ago.
SELECT body FROM reply WHERE verb = :verb AND key = :key AND at_ms >= :since_ms;

-- name: keep_reply
-- Remember the answer; an older one under the same key is out of date.
INSERT OR REPLACE INTO reply (verb, key, payment_id, at_ms, body)
VALUES (:verb, :key, :payment_id, :at_ms, :body);

-- name: keep_letter
-- A webhook to be delivered even after a restart; returns its id.
INSERT INTO letter (payment_id, url, body) VALUES (:payment_id, :url, :body) RETURNING letter_id;

-- name: drop_letter
-- Delivered, or given up.
DELETE FROM letter WHERE letter_id = :letter_id;

-- name: list_letters
-- Undelivered webhooks, oldest first.
SELECT letter_id, payment_id, url, body FROM letter ORDER BY letter_id LIMIT :limit;

-- name: find_setting
-- A setting changed while running, as JSON.
SELECT value FROM setting WHERE name = :name;

-- name: keep_setting
-- Remember the setting over a restart.
INSERT OR REPLACE INTO setting (name, value) VALUES (:name, :value);
