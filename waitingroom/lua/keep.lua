-- A pass was used: its lease lasts as long as the visit now may. A notice that comes late finds the
-- lease expired but not yet swept, and revives it: the person is inside, so they are counted, and
-- if that exceeds the ceiling the answer says so. A lease that was freed stays freed.
-- KEYS[1] settings
-- KEYS[2] leases
-- KEYS[3] visits
-- ARGV[1] subject
-- ARGV[2] jti of the pass, or empty for whichever the lease has
-- ARGV[3] end of the visit (ms)
-- ARGV[4] now (ms)
-- Returns: {gone} | {other} | {kept} | {over}
-- Changes: the end of the lease.
local settings_key, leases_key, visits_key = KEYS[1], KEYS[2], KEYS[3]
local subject, jti = ARGV[1], ARGV[2]
local until_ms, now_ms = tonumber(ARGV[3]), tonumber(ARGV[4])

local lease_ms = tonumber(redis.call('ZSCORE', leases_key, subject))
local visit = redis.call('HGET', visits_key, subject)
if not lease_ms or not visit then return {'gone'} end
if jti ~= '' and not string.find(visit, ':' .. jti .. ':', 1, true) then return {'other'} end
local ceiling = tonumber(redis.call('HGET', settings_key, 'ceiling')) or 0
local in_flight = redis.call('ZCOUNT', leases_key, '(' .. string.format('%d', now_ms), '+inf')

redis.call('ZADD', leases_key, until_ms, subject)
if lease_ms <= now_ms and in_flight >= ceiling then return {'over'} end
return {'kept'}
