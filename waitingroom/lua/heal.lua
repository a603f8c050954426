-- After Redis lost its memory, a signed entry brings its place back. A place that changed hands has
-- several entries: the newest known is its owner's, and the others are worth nothing.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] places, the bucket of this subject
-- KEYS[4] done
-- KEYS[5] owners
-- KEYS[6] moves
-- ARGV[1] generation
-- ARGV[2] subject
-- ARGV[3] number
-- ARGV[4] how often the place had changed hands when the entry was signed
-- Returns: {unknown} | {generation, current} | {gone} | {healed}
-- Changes: the subject's place, if it had none; owners and moves, when nothing newer is known.
local settings_key, line_key, places_key, done_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local owners_key, moves_key = KEYS[5], KEYS[6]
local generation, subject, number, hands = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
--@ owner

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local line = redis.call('HMGET', line_key, 'recovered_ms', 'issued')
if not line[1] or number > (tonumber(line[2]) or 0) then return {'gone'} end
local count, whose = owner_of(number)
if whose ~= '' and whose ~= subject and count >= hands then return {'gone'} end
if redis.call('GETBIT', done_key, number) == 1 then return {'gone'} end
if redis.call('HSETNX', places_key, subject, ARGV[3]) == 0
  and tonumber(redis.call('HGET', places_key, subject)) ~= number then
  return {'gone'}
end
if hands > count then
  becomes(number, hands, subject)
end
return {'healed'}
