-- After Redis lost its memory, a signed entry brings its place back: nobody else has that number.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] places, the bucket of this subject
-- KEYS[4] done
-- ARGV[1] generation
-- ARGV[2] subject
-- ARGV[3] number
-- Returns: {unknown} | {generation, current} | {gone} | {healed}
-- Changes: the subject's place, if it had none.
local settings_key, line_key, places_key, done_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, subject, number = ARGV[1], ARGV[2], tonumber(ARGV[3])

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local line = redis.call('HMGET', line_key, 'recovered_ms', 'issued')
if not line[1] or number > (tonumber(line[2]) or 0) then return {'gone'} end
if redis.call('GETBIT', done_key, number) == 1 then return {'gone'} end
if redis.call('HSETNX', places_key, subject, ARGV[3]) == 0 then return {'gone'} end
return {'healed'}
