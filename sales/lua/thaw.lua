-- Gives a frozen hold back to its buyer, who may change it and try to pay again. It ends as if a
-- seat had just been added, and leaves time for a second try at least; but however often somebody
-- tries, never later than that time after the latest moment of the hold.
--
-- KEYS[1] epoch      what these keys were filled from
-- KEYS[2] holds      hash order -> "account:expires:latest:mode:seat,seat,..." (epoch ms; mode b or f)
-- KEYS[3] expiring   sorted set order -> expires (epoch ms), while choosing
-- KEYS[4] frozen     sorted set order -> expires (epoch ms), while paying
--
-- ARGV[1] token      must equal KEYS[1]
-- ARGV[2] order      id
-- ARGV[3] renewed    the end of a hold changed now, were there no latest moment (epoch ms)
-- ARGV[4] least      the end not to fall below (epoch ms)
-- ARGV[5] second     time for a second try, beyond the latest moment of the hold at most (ms)
--
-- Returns:
--   stale         the keys are of another epoch: refill and ask again
--   over          there is no hold
--   thawed pack   the hold, packed as in KEYS[2]; unchanged if it was not frozen
-- Changes: holds, expiring, frozen.

local epoch, holds, expiring, frozen = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, order, renewed, least = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local second = tonumber(ARGV[5])

if redis.call('GET', epoch) ~= token then return {'stale'} end
local pack = redis.call('HGET', holds, order)
if not pack then return {'over'} end
local who, _, latest, mode, names = string.match(pack, '^(%d+):(%d+):(%d+):(%a):([%d,]*)$')
if mode == 'b' then return {'thawed', pack} end
local last = tonumber(latest)
local expires = math.max(math.min(renewed, last), least)
-- Rebuilt from PostgreSQL, a hold has no latest moment: PostgreSQL sees to its end.
if last > 0 then expires = math.min(expires, last + second) end

pack = string.format('%s:%.0f:%s:b:%s', who, expires, latest, names)
redis.call('HSET', holds, order, pack)
redis.call('ZREM', frozen, order)
redis.call('ZADD', expiring, expires, order)
return {'thawed', pack}
