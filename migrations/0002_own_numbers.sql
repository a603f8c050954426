-- Accounts and events made here are numbered clear of imported ones: files number accounts from 1 to
-- a million, events from 1 to 10 000 and the archive from 100 000 to 6 099 999.

ALTER TABLE account ALTER COLUMN id RESTART WITH 10000000;
ALTER TABLE event ALTER COLUMN id RESTART WITH 10000000;
