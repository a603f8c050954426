-- After the draw: an entrant's place becomes the one that was drawn. Asked without a number, it
-- tells which entrant the subject was.
-- KEYS[1] settings
-- KEYS[2] places of the pre-queue, the bucket of this subject
-- KEYS[3] places, the bucket of this subject
-- ARGV[1] generation
-- ARGV[2] subject
-- ARGV[3] entrant, or 0 to be told
-- ARGV[4] number that was drawn for this entrant
-- Returns: {unknown} | {generation, current} | {gone} | {entrant, entrant} | {followed}
-- Changes: both places.
local settings_key, before_key, places_key = KEYS[1], KEYS[2], KEYS[3]
local generation, subject, entrant, number = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local had = tonumber(redis.call('HGET', before_key, subject))
if not had then return {'gone'} end
if entrant == 0 then return {'entrant', had} end
if had ~= entrant then return {'gone'} end

redis.call('HDEL', before_key, subject)
redis.call('HSET', places_key, subject, number)
return {'followed'}
