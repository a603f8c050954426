-- The ledger: where every tiyn that was captured is now. Double-entry, written once, in the
-- transaction of the fact it tells of. A posting is one fact; its entries sum to zero (debit is
-- positive). Numbers of orders, payments and refunds are not foreign keys: a reset drops those, the
-- ledger stays.

CREATE TABLE ledger_posting (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- What happened, once for ever: 'capture:17'.
    fact       text NOT NULL UNIQUE CHECK (length(fact) BETWEEN 3 AND 80),
    event_id   bigint NOT NULL,
    order_id   bigint,
    payment_id bigint,
    refund_id  bigint,
    at         timestamptz NOT NULL
);
CREATE INDEX ledger_posting_order ON ledger_posting (order_id) WHERE order_id IS NOT NULL;
-- A reset closes every balance; what stands after the last one is today's.
CREATE INDEX ledger_posting_reset ON ledger_posting (id) WHERE fact LIKE 'reset:%';

CREATE TABLE ledger_entry (
    posting_id bigint NOT NULL REFERENCES ledger_posting,
    -- 'gateway', 'sales:7', 'fees:7', 'refunds', 'payouts'.
    account    text NOT NULL CHECK (length(account) BETWEEN 1 AND 60),
    amount     bigint NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (posting_id, account)
);

CREATE FUNCTION ledger_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is written once: post a reversing fact instead';
END $$;
CREATE TRIGGER ledger_posting_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_posting
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_written_once();
CREATE TRIGGER ledger_entry_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_written_once();

CREATE FUNCTION ledger_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM ledger_entry WHERE posting_id = NEW.posting_id) <> 0 THEN
        RAISE EXCEPTION 'ledger posting % does not sum to zero', NEW.posting_id;
    END IF;
    RETURN NULL;
END $$;
-- At commit, so that a posting may be written entry by entry.
CREATE CONSTRAINT TRIGGER ledger_entry_sums_to_zero AFTER INSERT ON ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_sums_to_zero();

-- What was captured before there was a ledger.
WITH posted AS (
    INSERT INTO ledger_posting (fact, event_id, order_id, payment_id, at)
    SELECT 'capture:' || payment.id, orders.event_id, orders.id, payment.id,
           coalesce(orders.paid_at, payment.updated_at)
    FROM payment JOIN orders ON orders.id = payment.order_id
    WHERE payment.state = 'captured'
    ORDER BY payment.id
    RETURNING id, event_id, payment_id
)
INSERT INTO ledger_entry (posting_id, account, amount)
SELECT posted.id, side.account, side.amount
FROM posted JOIN payment ON payment.id = posted.payment_id,
     LATERAL (VALUES ('gateway', payment.amount), ('sales:' || posted.event_id, -payment.amount))
         AS side (account, amount);
