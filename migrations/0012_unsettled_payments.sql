-- Money that came after a no is unsettled too, until it has gone back.
DROP INDEX payment_unsettled;
CREATE INDEX payment_unsettled ON payment (created_at)
    WHERE state IN ('started', 'offered', 'unknown', 'authorised', 'disowned');
