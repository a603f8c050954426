-- All the numbers of a room at one moment, for a process's memory. Reads only.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] leases
-- KEYS[4] left
-- KEYS[5] live, this window
-- KEYS[6] moves
-- ARGV[1] generation
-- ARGV[2] now (ms)
-- ARGV[3] how many of those who left are known already
-- ARGV[4] how many more to tell, at most
-- ARGV[5] how many changes of hands are known already
-- Returns: {unknown} | {generation, current} | {room, settings, line, in flight, more who left, how many live up to where, more changes of hands}
-- Changes: nothing.
local settings_key, line_key, leases_key = KEYS[1], KEYS[2], KEYS[3]
local left_key, live_key, moves_key = KEYS[4], KEYS[5], KEYS[6]
local generation, now_ms = ARGV[1], tonumber(ARGV[2])
local known, more_max, moved = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
-- The living are counted in steps of so many bytes of the bitmap, so many times, then in doubled
-- ones: exact near the front, a few dozen counts for a million.
local STEP_BYTES, STEPS = 8, 8

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local in_flight = redis.call('ZCOUNT', leases_key, '(' .. string.format('%d', now_ms), '+inf')
local left = redis.call('LRANGE', left_key, known, known + more_max - 1)
local line = redis.call('HMGET', line_key, 'issued', 'serving', 'all_live')
local last, at = math.floor((tonumber(line[1]) or 0) / 8), math.floor((tonumber(line[2]) or 0) / 8)
local steps, size, living = {}, STEP_BYTES, 0
while line[3] == '0' and at <= last do
  living = living + redis.call('BITCOUNT', live_key, at, at + size - 1)
  at = at + size
  steps[#steps + 1], steps[#steps + 2] = at * 8 - 1, living
  if #steps % (2 * STEPS) == 0 then size = size * 2 end
end
local moves = redis.call('LRANGE', moves_key, moved, moved + more_max - 1)
return {'room', redis.call('HGETALL', settings_key), redis.call('HGETALL', line_key), in_flight, left,
  steps, moves}
