-- Who holds or owns one seat.
--
-- KEYS[1] epoch     what these keys were filled from
-- KEYS[2] seats     string, one byte a seat: F free, H held, S sold
-- KEYS[3] holders   hash seat -> "order:account"
--
-- ARGV[1] token     must equal KEYS[1]
-- ARGV[2] seat      index
--
-- Returns:
--   stale                        the keys are of another epoch: refill and ask again
--   free                         nobody, or there is no such seat
--   whose "order:account" state  state as in KEYS[2]
-- Changes: nothing.

local epoch, seats, holders = KEYS[1], KEYS[2], KEYS[3]
local token, seat = ARGV[1], ARGV[2]

if redis.call('GET', epoch) ~= token then return {'stale'} end
local holder = redis.call('HGET', holders, seat)
if not holder then return {'free'} end
return {'whose', holder, redis.call('GETRANGE', seats, seat, seat)}
