-- All the numbers of a room at one moment, for a process's memory. Reads only.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] leases
-- KEYS[4] left
-- ARGV[1] generation
-- ARGV[2] now (ms)
-- ARGV[3] how many of those who left are known already
-- ARGV[4] how many more to tell, at most
-- Returns: {unknown} | {generation, current} | {room, settings, line, in flight, more who left}
-- Changes: nothing.
local settings_key, line_key, leases_key, left_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, now_ms = ARGV[1], tonumber(ARGV[2])
local known, more_max = tonumber(ARGV[3]), tonumber(ARGV[4])

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local in_flight = redis.call('ZCOUNT', leases_key, '(' .. string.format('%d', now_ms), '+inf')
local left = redis.call('LRANGE', left_key, known, known + more_max - 1)
return {'room', redis.call('HGETALL', settings_key), redis.call('HGETALL', line_key), in_flight, left}
