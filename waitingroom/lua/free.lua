-- A visit has ended: the place in flight is free at once. Doing it twice changes nothing, and the
-- end of an earlier visit doesn't end a later one, if the pass is named.
-- KEYS[1] leases
-- KEYS[2] visits
-- ARGV[1] subject
-- ARGV[2] jti of the pass, or empty for whichever the lease has
-- Returns: {gone} | {other} | {freed}
-- Changes: leases and visits, of this subject.
local leases_key, visits_key = KEYS[1], KEYS[2]
local subject, jti = ARGV[1], ARGV[2]

local visit = redis.call('HGET', visits_key, subject)
if not visit then return {'gone'} end
if jti ~= '' and not string.find(visit, ':' .. jti .. ':', 1, true) then return {'other'} end

redis.call('ZREM', leases_key, subject)
redis.call('HDEL', visits_key, subject)
return {'freed'}
