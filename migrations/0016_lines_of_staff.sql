-- What staff did, among the many lines that sales and the gateway write.
CREATE INDEX audit_of_staff ON audit (id) WHERE detail ? 'by' OR actor = 'cli';
