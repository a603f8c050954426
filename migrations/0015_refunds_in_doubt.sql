-- When the gateway was first told to give a refund's money back: what its answers mean depends on
-- how long ago that was, not on when the buyer asked.
ALTER TABLE refund ADD COLUMN sent_at timestamptz;
UPDATE refund SET sent_at = updated_at WHERE state = 'sent';

-- 'owed': money that nobody wants and that the gateway would not let go of; a refund stands for it.
ALTER TABLE payment DROP CONSTRAINT payment_state_check;
ALTER TABLE payment ADD CONSTRAINT payment_state_check CHECK (state IN (
    'started', 'offered', 'unknown', 'authorised', 'captured', 'declined', 'disowned', 'owed',
    'cancelled', 'reversed', 'lapsed', 'refunded'));
