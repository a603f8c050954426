-- name: make_incoming
-- The place where a batch of imported accounts waits to be judged.
CREATE TEMPORARY TABLE incoming (
    line           bigint NOT NULL,
    id             bigint NOT NULL,
    email          text NOT NULL,
    password_hash  text NOT NULL,
    first_name     text NOT NULL,
    surname        text NOT NULL,
    birthday       date,
    is_active      boolean NOT NULL,
    registered_at  timestamptz,
    last_logged_in timestamptz,
    -- The account it changes; NULL: it is a new one.
    target         bigint,
    -- Why it is rejected; NULL: it isn't.
    reason         text
) ON COMMIT DELETE ROWS

-- name: judge_incoming
-- Which account each row means, and why not. $1: ids from here on are given by this service.
-- The laterals with LIMIT are two index look-ups a row, never a scan of a million accounts.
UPDATE incoming i
   SET target = COALESCE(by_email.id, by_id.id),
       reason = CASE
           WHEN by_id.role <> 'buyer' OR by_email.role <> 'buyer' THEN 'staff-account'
           WHEN by_id.id <> by_email.id THEN 'email-of-another-account'
           WHEN by_id.id IS NOT NULL AND by_email.id IS NULL AND i.id >= $1 THEN 'id-of-another-account'
       END
  FROM incoming self
  LEFT JOIN LATERAL (SELECT id, role FROM account WHERE id = self.id LIMIT 1) by_id ON true
  LEFT JOIN LATERAL (SELECT id, role FROM account WHERE lower(email) = self.email LIMIT 1) by_email ON true
 WHERE i.ctid = self.ctid

-- name: entangled_incoming
-- Whether two rows mean the same account.
SELECT EXISTS (SELECT FROM incoming WHERE target IS NOT NULL GROUP BY target HAVING count(*) > 1)

-- name: rejected_incoming
-- The rows that were rejected, with the reason.
SELECT line, id, email, reason FROM incoming WHERE reason IS NOT NULL ORDER BY line

-- name: update_from_incoming
-- Accounts that exist get what the file says. An unknown time leaves the known one.
UPDATE account a
   SET email = i.email,
       password_hash = i.password_hash,
       first_name = i.first_name,
       surname = i.surname,
       birthday = i.birthday,
       is_active = i.is_active,
       registered_at = COALESCE(i.registered_at, a.registered_at),
       last_logged_in = COALESCE(i.last_logged_in, a.last_logged_in)
  FROM incoming i
 WHERE a.id = i.target AND i.reason IS NULL

-- name: insert_from_incoming
-- Accounts that don't exist are made.
INSERT INTO account
       (id, email, password_hash, first_name, surname, birthday, is_active, registered_at, last_logged_in)
SELECT id, email, password_hash, first_name, surname, birthday, is_active,
       COALESCE(registered_at, now()), last_logged_in
  FROM incoming
 WHERE target IS NULL AND reason IS NULL

-- name: raise_account_ids
-- Ids given from now on are above those made now, where these lie from $1 on: the ids given here.
SELECT setval(sequence, made.id)
  FROM (SELECT max(id) AS id FROM incoming WHERE target IS NULL AND reason IS NULL) made,
       pg_get_serial_sequence('account', 'id') AS sequence
 WHERE made.id >= $1
   AND made.id > (SELECT COALESCE(last_value, 0) FROM pg_sequences
                   WHERE format('%I.%I', schemaname, sequencename)::regclass = sequence::regclass)
