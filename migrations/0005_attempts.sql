-- An order may be paid by another card after a no: several attempts, one at a time, captured once.

CREATE UNIQUE INDEX payment_one_alive ON payment (order_id)
    WHERE state IN ('started', 'offered', 'unknown', 'authorised', 'captured');

-- 'disowned': money that came after the no and is not wanted any more; it goes back.
ALTER TABLE payment DROP CONSTRAINT payment_state_check;
ALTER TABLE payment ADD CONSTRAINT payment_state_check CHECK (state IN (
    'started', 'offered', 'unknown', 'authorised', 'captured', 'declined', 'disowned', 'cancelled',
    'reversed', 'lapsed', 'refunded'));
