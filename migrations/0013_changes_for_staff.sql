-- What staff look through: refunds that were paid by hand, the newest first, and events that were
-- cancelled, a handful among many.

CREATE INDEX refund_paid_out ON refund (id) WHERE state = 'paid_out';
CREATE INDEX event_cancelled ON event (cancelled_at) WHERE cancelled_at IS NOT NULL;
