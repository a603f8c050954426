-- Who of the entrants has left and who is still heard from, for the draw. Reads only.
-- KEYS[1] settings
-- KEYS[2] left
-- KEYS[3] live, this window
-- KEYS[4] live, the next window
-- ARGV[1] generation
-- ARGV[2] how many of those who left are known already
-- ARGV[3] how many more to tell, at most
-- Returns: {unknown} | {generation, current} | {crowd, more who left, live, live next}
-- Changes: nothing.
local settings_key, left_key, live_key, live_next_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, known, more_max = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local left = redis.call('LRANGE', left_key, known, known + more_max - 1)
return {'crowd', left, redis.call('GET', live_key) or '', redis.call('GET', live_next_key) or ''}
