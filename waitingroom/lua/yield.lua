-- Whoever stands in the lane of the invited gives up a place in the line: one subject has one turn.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] places, the bucket of this subject
-- KEYS[4] done
-- KEYS[5] left
-- KEYS[6] live, this window
-- KEYS[7] live, the next window
-- KEYS[8] owners
-- ARGV[1] generation
-- ARGV[2] subject
-- Returns: {unknown} | {generation, current} | {none} | {yielded, number}
-- Changes: places, done, left (if not yet called), both live windows.
local settings_key, line_key, places_key, done_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local left_key, live_key, live_next_key = KEYS[5], KEYS[6], KEYS[7]
local owners_key = KEYS[8]
local generation, subject = ARGV[1], ARGV[2]
--@ owner

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local number = tonumber(redis.call('HGET', places_key, subject))
if not number or redis.call('GETBIT', done_key, number) == 1 then return {'none'} end
if is_anothers(number, subject) then return {'none'} end
local serving = tonumber(redis.call('HGET', line_key, 'serving')) or 0

redis.call('HDEL', places_key, subject)
redis.call('SETBIT', done_key, number, 1)
redis.call('SETBIT', live_key, number, 0)
redis.call('SETBIT', live_next_key, number, 0)
if number > serving then redis.call('RPUSH', left_key, number) end
return {'yielded', number}
