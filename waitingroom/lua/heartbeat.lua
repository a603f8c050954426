-- A waiter is still here: the number counts as living in this window and the next.
-- KEYS[1] settings
-- KEYS[2] live, this window
-- KEYS[3] live, the next window
-- ARGV[1] generation
-- ARGV[2] number
-- ARGV[3] life of a live window (s)
-- Returns: {unknown} | {generation, current} | {heard}
-- Changes: both live windows.
local settings_key, live_key, live_next_key = KEYS[1], KEYS[2], KEYS[3]
local generation, number, live_s = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end

redis.call('SETBIT', live_key, number, 1)
redis.call('SETBIT', live_next_key, number, 1)
redis.call('EXPIRE', live_key, live_s)
redis.call('EXPIRE', live_next_key, live_s)
return {'heard'}
