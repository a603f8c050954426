-- A place taken by one subject (a device) passes to another (its owner's account). If both had
-- one, the account has the better of the two afterwards, and the other is given up. A number whose
-- turn was missed is no place: it neither passes on nor stands in the way of a better one.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] places, the bucket of the subject that gives
-- KEYS[4] places, the bucket of the subject that takes
-- KEYS[5] done
-- KEYS[6] left
-- KEYS[7] knocked
-- KEYS[8] owners
-- KEYS[9] moves
-- ARGV[1] generation
-- ARGV[2] subject that gives
-- ARGV[3] subject that takes
-- ARGV[4] number that is given
-- ARGV[5] how often it had changed hands when the entry was signed
-- Returns: {unknown} | {generation, current} | {gone} | {adopted, number, how often it has changed hands}
-- Changes: both places; owners and moves; done and left (the worse of two numbers).
local settings_key, line_key, from_key, to_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local done_key, left_key, knocked_key = KEYS[5], KEYS[6], KEYS[7]
local owners_key, moves_key = KEYS[8], KEYS[9]
local generation, from, to = ARGV[1], ARGV[2], ARGV[3]
local number, hands = tonumber(ARGV[4]), tonumber(ARGV[5])
--@ owner

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
if tonumber(redis.call('HGET', from_key, from)) ~= number then return {'gone'} end
local count, whose = owner_of(number)
if whose ~= '' and whose ~= from then return {'gone'} end
local line = redis.call('HMGET', line_key, 'serving', 'lapsed')
local serving, lapsed = tonumber(line[1]) or 0, tonumber(line[2]) or 0
--@ good
if not is_good(number) then return {'gone'} end
local own = tonumber(redis.call('HGET', to_key, to))

local best, worse = number, own
if own and own < number and is_good(own) then best, worse = own, number end
redis.call('HDEL', from_key, from)
redis.call('HSET', to_key, to, best)
if worse then redis.call('SETBIT', done_key, worse, 1) end
if worse and worse > serving then redis.call('RPUSH', left_key, worse) end
if best ~= number then return {'adopted', best, 0} end
hands = math.max(count, hands) + 1
becomes(number, hands, to)
return {'adopted', best, hands}
