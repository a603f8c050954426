-- A visit has ended: the place in flight is free at once. Doing it twice changes nothing, and the
-- end of an earlier visit doesn't end a later one, if the pass is named. After a loss of Redis some
-- of those inside are nameless (lua/recover.lua): the end of an unknown visit is that of one of them.
-- KEYS[1] leases
-- KEYS[2] visits
-- KEYS[3] freed
-- ARGV[1] subject
-- ARGV[2] jti of the pass, or empty for whichever the lease has
-- ARGV[3] how long the ended are remembered while some are nameless (s)
-- Returns: {gone} | {other} | {freed}
-- Changes: leases and visits, of this subject or a nameless one; freed.
local leases_key, visits_key, freed_key = KEYS[1], KEYS[2], KEYS[3]
local subject, jti, remember_s = ARGV[1], ARGV[2], tonumber(ARGV[3])

local visit = redis.call('HGET', visits_key, subject)
local nameless = tonumber(redis.call('HGET', visits_key, 'nameless')) or 0
if visit and jti ~= '' and not string.find(visit, ':' .. jti .. ':', 1, true) then return {'other'} end
if not visit and (nameless < 1 or jti == '') then return {'gone'} end

if nameless > 0 and jti ~= '' then
  local is_new = redis.call('SADD', freed_key, jti) == 1
  redis.call('EXPIRE', freed_key, remember_s)
  if not visit then
    if not is_new then return {'gone'} end
    redis.call('ZREM', leases_key, 'nameless:' .. nameless)
    redis.call('HSET', visits_key, 'nameless', nameless - 1)
    return {'freed'}
  end
end
redis.call('ZREM', leases_key, subject)
redis.call('HDEL', visits_key, subject)
return {'freed'}
