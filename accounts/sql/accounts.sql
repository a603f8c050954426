-- name: accounts_by_email
-- What sign-in needs of these addresses ($1, already normalised): a row each that exists.
SELECT id, email, first_name, surname, role, is_active, password_hash
  FROM account
 WHERE lower(email) = ANY($1::text[])

-- name: account_by_id
-- What sign-in needs of one account ($1).
SELECT id, email, first_name, surname, role, is_active, password_hash
  FROM account
 WHERE id = $1

-- name: insert_account
-- A new account: $1 email, $2 hash, $3 first name, $4 surname, $5 role. No row: the address is taken.
INSERT INTO account (email, password_hash, first_name, surname, role)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (lower(email)) DO NOTHING
RETURNING id, email, first_name, surname, role, is_active, password_hash

-- name: put_accounts
-- Accounts as they shall be: $1 emails (each once), $2 hashes, $3 first names, $4 surnames, $5 roles.
-- An existing address is changed to match. Comes back: id and email of each.
INSERT INTO account (email, password_hash, first_name, surname, role)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
ON CONFLICT (lower(email)) DO UPDATE
   SET password_hash = EXCLUDED.password_hash,
       first_name = EXCLUDED.first_name,
       surname = EXCLUDED.surname,
       role = EXCLUDED.role,
       is_active = true
RETURNING id, email

-- name: note_sign_in
-- Account $1 signed in at $2.
UPDATE account SET last_logged_in = $2 WHERE id = $1

-- name: set_password
-- Account $1 gets the password hash $2.
UPDATE account SET password_hash = $2 WHERE id = $1

-- name: upgrade_password
-- Hash $2 of account $1 becomes $3, unless the password was changed meanwhile: then no row.
UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id

-- name: set_name
-- Account $1 is called $2 $3. Comes back: its id.
UPDATE account SET first_name = $2, surname = $3 WHERE id = $1 RETURNING id

-- name: staff_accounts
-- Those who are no buyers, by address, at most $1.
SELECT id, email, first_name, surname, role, is_active, password_hash
  FROM account
 WHERE role <> 'buyer'
 ORDER BY email
 LIMIT $1

-- name: set_role
-- Account $1 has the role $2.
UPDATE account SET role = $2 WHERE id = $1

-- name: set_active
-- Account $1 may sign in, or may not: $2.
UPDATE account SET is_active = $2 WHERE id = $1
