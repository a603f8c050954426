-- The states of all seats, unless the caller has them already.
--
-- KEYS[1] epoch     what these keys were filled from
-- KEYS[2] seats     string, one byte a seat: F free, H held, S sold, X not ours to sell
-- KEYS[3] version   integer
-- KEYS[4] allotments what was given to us of each zone; not handed where all seats are ours
--
-- ARGV[1] token     must equal KEYS[1]
-- ARGV[2] known     the version the caller has; 0 for none
--
-- Returns:
--   stale              the keys are of another epoch: refill and ask again
--   same               nothing has changed since
--   map version seats allotments
--                      the version and the strings; no last one where all seats are ours
-- Changes: nothing.

local epoch, seats, version, allotments = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, known = ARGV[1], ARGV[2]

if redis.call('GET', epoch) ~= token then return {'stale'} end
local current = redis.call('GET', version)
if current == known then return {'same'} end
if not allotments then return {'map', current, redis.call('GET', seats)} end
return {'map', current, redis.call('GET', seats), redis.call('GET', allotments) or ''}
