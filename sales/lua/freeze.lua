-- Locks an order's hold while it is being paid: its seats can be neither changed nor lapse until
-- PostgreSQL has said what became of it. Freezing again moves the end further, as far as freezing
-- at the latest moment of the hold would have.
--
-- KEYS[1] epoch      what these keys were filled from
-- KEYS[2] holds      hash order -> "account:expires:latest:mode:seat,seat,..." (epoch ms; mode b or f)
-- KEYS[3] expiring   sorted set order -> expires (epoch ms), while choosing
-- KEYS[4] frozen     sorted set order -> expires (epoch ms), while paying
--
-- ARGV[1] token      must equal KEYS[1]
-- ARGV[2] now        (epoch ms)
-- ARGV[3] order      id
-- ARGV[4] account    id
-- ARGV[5] until      when PostgreSQL is asked about the order (epoch ms)
--
-- Returns:
--   stale         the keys are of another epoch: refill and ask again
--   over          there is no hold, or its time is over
--   foreign       the hold is another account's
--   frozen pack   the hold, packed as in KEYS[2]
-- Changes: holds, expiring, frozen.

local epoch, holds, expiring, frozen = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, now, order, account, till = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])

if redis.call('GET', epoch) ~= token then return {'stale'} end
local pack = redis.call('HGET', holds, order)
if not pack then return {'over'} end
local who, expires, latest, mode, names = string.match(pack, '^(%d+):(%d+):(%d+):(%a):([%d,]*)$')
if mode == 'b' and tonumber(expires) <= now then return {'over'} end
if who ~= account then return {'foreign'} end
if mode == 'f' then
  till = math.max(tonumber(expires), math.min(till, tonumber(latest) + till - now))
end

pack = string.format('%s:%.0f:%s:f:%s', account, till, latest, names)
redis.call('HSET', holds, order, pack)
redis.call('ZREM', expiring, order)
redis.call('ZADD', frozen, till, order)
return {'frozen', pack}
