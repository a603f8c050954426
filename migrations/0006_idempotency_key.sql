-- Answers that clients named by a key of their own, so that asking again gives the same answer.

CREATE TABLE idempotency_key (
    account_id    bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    key           text NOT NULL CHECK (length(key) BETWEEN 1 AND 100),
    -- SHA-256 over method, address and body: one key names one question.
    fingerprint   bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    created_at    timestamptz NOT NULL,
    -- Somebody is at work on it until then; who dies leaves it to the next.
    claimed_until timestamptz NOT NULL,
    -- NULL until there is an answer.
    status        smallint CHECK (status BETWEEN 200 AND 499),
    headers       jsonb NOT NULL DEFAULT '{}',
    body          bytea NOT NULL DEFAULT '' CHECK (octet_length(body) <= 65536),
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);
