-- One ticker leads; its fence is higher than every earlier leader's, also after Redis forgot them.
-- KEYS[1] leader
-- KEYS[2] fence
-- ARGV[1] name of the process that asks
-- ARGV[2] life of the leadership unless renewed (ms)
-- ARGV[3] now (ms)
-- Returns: {other} | {leads, fence}
-- Changes: leader; fence, when the leader is new.
local leader_key, fence_key = KEYS[1], KEYS[2]
local name, life_ms, now_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local leader = redis.call('GET', leader_key)
if leader and leader ~= name then return {'other'} end
local fence = tonumber(redis.call('GET', fence_key)) or 0
if not leader then fence = math.max(fence + 1, now_ms) end

redis.call('SET', leader_key, name, 'PX', life_ms)
redis.call('SET', fence_key, string.format('%d', fence))
return {'leads', fence}
