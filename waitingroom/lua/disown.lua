-- After a loss of Redis two entries of one place may both have come back before the newer was seen:
-- the place of whoever is not its owner is forgotten. The number itself is left alone.
-- KEYS[1] settings
-- KEYS[2] places, the bucket of this subject
-- KEYS[3] owners
-- ARGV[1] generation
-- ARGV[2] subject
-- ARGV[3] number
-- Returns: {unknown} | {generation, current} | {none} | {disowned}
-- Changes: the subject's place.
local settings_key, places_key, owners_key = KEYS[1], KEYS[2], KEYS[3]
local generation, subject, number = ARGV[1], ARGV[2], ARGV[3]
--@ owner

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
if not is_anothers(number, subject) or redis.call('HGET', places_key, subject) ~= number then return {'none'} end

redis.call('HDEL', places_key, subject)
return {'disowned'}
