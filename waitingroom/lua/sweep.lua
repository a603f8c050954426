-- Leases and visits long ended are forgotten, a few at a time.
-- KEYS[1] leases
-- KEYS[2] visits
-- ARGV[1] ended before this (ms)
-- Returns: {swept, how many}
-- Changes: leases and visits long ended.
local leases_key, visits_key = KEYS[1], KEYS[2]
local before_ms = ARGV[1]
local SWEEP_MAX = 500

local ended = redis.call('ZRANGEBYSCORE', leases_key, '-inf', before_ms, 'LIMIT', 0, SWEEP_MAX)

if #ended > 0 then
  redis.call('ZREM', leases_key, unpack(ended))
  redis.call('HDEL', visits_key, unpack(ended))
end
return {'swept', #ended}
