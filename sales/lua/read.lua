-- The states of all seats, unless the caller has them already.
--
-- KEYS[1] epoch     what these keys were filled from
-- KEYS[2] seats     string, one byte a seat: F free, H held, S sold
-- KEYS[3] version   integer
--
-- ARGV[1] token     must equal KEYS[1]
-- ARGV[2] known     the version the caller has; 0 for none
--
-- Returns:
--   stale              the keys are of another epoch: refill and ask again
--   same               nothing has changed since
--   map version seats  the version and the string
-- Changes: nothing.

local epoch, seats, version = KEYS[1], KEYS[2], KEYS[3]
local token, known = ARGV[1], ARGV[2]

if redis.call('GET', epoch) ~= token then return {'stale'} end
local current = redis.call('GET', version)
if current == known then return {'same'} end
return {'map', current, redis.call('GET', seats)}
