-- name: post_fact
-- Writes a posting: fact $1 of event $2, order $3, payment $4, refund $5 at $6, with an entry for
-- each of the accounts $7 over the amounts $8. Returns its id; no row where the fact stands already.
WITH posted AS (
    INSERT INTO ledger_posting (fact, event_id, order_id, payment_id, refund_id, at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (fact) DO NOTHING
    RETURNING id
), entered AS (
    INSERT INTO ledger_entry (posting_id, account, amount)
    SELECT posted.id, side.account, side.amount
    FROM posted, unnest($7::text[], $8::bigint[]) AS side (account, amount)
)
SELECT id FROM posted;

-- name: is_posted
-- Whether the fact ($1) is written.
SELECT EXISTS (SELECT FROM ledger_posting WHERE fact = $1);

-- name: close_balances
-- Brings every balance to zero, event by event, because of reset $1 at $2.
WITH balance AS (
    SELECT posting.event_id, entry.account, sum(entry.amount)::bigint AS amount
    FROM ledger_posting AS posting JOIN ledger_entry AS entry ON entry.posting_id = posting.id
    WHERE posting.id > (SELECT coalesce(max(id), 0) FROM ledger_posting WHERE fact LIKE 'reset:%')
    GROUP BY posting.event_id, entry.account
    HAVING sum(entry.amount) <> 0
), posted AS (
    INSERT INTO ledger_posting (fact, event_id, at)
    SELECT DISTINCT 'reset:' || $1::bigint || ':' || event_id, event_id, $2::timestamptz FROM balance
    RETURNING id, event_id
)
INSERT INTO ledger_entry (posting_id, account, amount)
SELECT posted.id, balance.account, -balance.amount
FROM posted JOIN balance ON balance.event_id = posted.event_id;

-- name: read_balances
-- Every account with what it stands at, in tiyn (debit is positive); closed ones are left out.
SELECT account, sum(amount)::bigint AS amount
FROM ledger_entry
GROUP BY account
HAVING sum(amount) <> 0
ORDER BY account;

-- name: read_last_reset
-- The id of the last posting that belongs to a reset, 0 without any: what it closed is not compared.
SELECT coalesce(max(id), 0) FROM ledger_posting WHERE fact LIKE 'reset:%';

-- name: find_crooked_postings
-- Postings that do not sum to zero or have no entries, at most $1: what, 0, what was found.
SELECT posting.fact AS subject, 0::bigint AS expected, coalesce(sum(entry.amount), 0)::bigint AS found
FROM ledger_posting AS posting LEFT JOIN ledger_entry AS entry ON entry.posting_id = posting.id
GROUP BY posting.id
HAVING coalesce(sum(entry.amount), 0) <> 0 OR count(entry.account) = 0
ORDER BY posting.id
LIMIT $1;

-- name: find_strange_captures
-- Payments and the captures posted for them after posting $1 that disagree, at most $2: the
-- payment, the sum that was captured, the sum that is posted.
SELECT 'payment:' || coalesce(taken.id, posted.payment_id) AS subject,
       coalesce(taken.amount, 0) AS expected, coalesce(posted.amount, 0) AS found
FROM (SELECT id, amount FROM payment WHERE state IN ('captured', 'refunded')) AS taken
FULL JOIN (
    SELECT posting.payment_id, entry.amount
    FROM ledger_posting AS posting
    JOIN ledger_entry AS entry ON entry.posting_id = posting.id AND entry.account = 'gateway'
    WHERE posting.id > $1 AND posting.fact = 'capture:' || posting.payment_id
) AS posted ON posted.payment_id = taken.id
WHERE coalesce(taken.amount, 0) <> coalesce(posted.amount, 0)
ORDER BY 1
LIMIT $2;

-- name: find_strange_sales
-- Events whose tickets and sales disagree, at most $1: the account, the price of the tickets that
-- are out, what the ledger says.
SELECT 'sales:' || coalesce(sold.event_id, posted.event_id) AS subject,
       coalesce(sold.amount, 0)::bigint AS expected, coalesce(posted.amount, 0)::bigint AS found
FROM (
    SELECT event_id, sum(price) AS amount FROM ticket WHERE state <> 'returned' GROUP BY event_id
) AS sold
FULL JOIN (
    SELECT substr(account, 7)::bigint AS event_id, -sum(amount) AS amount
    FROM ledger_entry WHERE account LIKE 'sales:%' GROUP BY account
) AS posted ON posted.event_id = sold.event_id
WHERE coalesce(sold.amount, 0) <> coalesce(posted.amount, 0)
ORDER BY 1
LIMIT $1;

-- name: find_strange_refunds
-- Refunds and their postings after posting $1 that disagree, at most $2: what came back ('refund:…')
-- and what reached the buyer ('settle:…'), in the refunds' table and in the ledger.
WITH told AS (
    SELECT 'refund:' || id AS subject, amount + fee AS amount FROM refund
    UNION ALL
    SELECT 'settle:' || id, amount FROM refund WHERE state IN ('done', 'paid_out')
), posted AS (
    SELECT posting.fact AS subject, sum(entry.amount)::bigint AS amount
    FROM ledger_posting AS posting
    JOIN ledger_entry AS entry ON entry.posting_id = posting.id AND entry.amount > 0
    WHERE posting.id > $1 AND posting.refund_id IS NOT NULL
    GROUP BY posting.fact
)
SELECT subject, coalesce(told.amount, 0) AS expected, coalesce(posted.amount, 0) AS found
FROM told FULL JOIN posted USING (subject)
WHERE coalesce(told.amount, 0) <> coalesce(posted.amount, 0)
ORDER BY 1
LIMIT $2;
