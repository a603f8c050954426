-- What was given to us of a hall's zones has changed: all that is free follows. Who holds or owns a
-- seat keeps it. What is known already, or newer, stays.
--
-- KEYS[1] epoch      what these keys were filled from
-- KEYS[2] seats      string, one byte a seat: F free, H held, S sold, X not ours to sell
-- KEYS[3] version    integer
-- KEYS[4] allotments "rank;" and "first:last:places:channel:from-till,...;" for each zone
--
-- ARGV[1] token      must equal KEYS[1]
-- ARGV[2] given      content of KEYS[4]; its rank rises with each change
--
-- Returns:
--   stale     the keys are of another epoch: refill and ask again
--   same      known already
--   allotted  done
-- Changes: seats, version, allotments.

local epoch, seats, version, allotments = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, told = ARGV[1], ARGV[2]
--@ patched
--@ allotments

if redis.call('GET', epoch) ~= token then return {'stale'} end
local known = redis.call('GET', allotments) or '-1;'
if tonumber(string.match(known, '^-?%d+')) >= tonumber(string.match(told, '^%d+')) then return {'same'} end

redis.call('SET', allotments, told)
settle(given(), {})
redis.call('INCR', version)
return {'allotted'}
