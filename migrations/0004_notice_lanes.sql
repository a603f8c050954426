-- Notices run in lanes, so that a slow gateway keeps no seat from going free (see sales.outbox).

ALTER TABLE notice ADD COLUMN lane text NOT NULL DEFAULT 'rest' CHECK (length(lane) <= 20);
UPDATE notice SET lane = CASE
    WHEN kind IN ('payment.settle', 'payment.void', 'order.expire') THEN 'money'
    WHEN kind IN ('order.paid', 'order.released') THEN 'seats'
    ELSE 'rest' END;

DROP INDEX notice_due;
CREATE INDEX notice_due ON notice (lane, due_at) WHERE parked_at IS NULL;
CREATE INDEX notice_parked ON notice (lane, id) WHERE parked_at IS NOT NULL;
-- What is still to be done about an order or a payment.
CREATE INDEX notice_subject ON notice (subject_id, kind);
