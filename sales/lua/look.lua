-- The holds of some orders, as they stand. Whether their time is over is for the caller to judge.
--
-- KEYS[1] epoch      what these keys were filled from
-- KEYS[2] holds      hash order -> "account:expires:latest:mode:seat,seat,..." (epoch ms; mode b or f)
--
-- ARGV[1] token      must equal KEYS[1]
-- ARGV[2...] orders  ids, at most 1000
--
-- Returns:
--   stale           the keys are of another epoch: refill and ask again
--   found pack...   for each order its hold, packed as in KEYS[2]; nil for none
-- Changes: nothing.

local epoch, holds = KEYS[1], KEYS[2]
local token = ARGV[1]
local FIRST_ORDER = 2

if redis.call('GET', epoch) ~= token then return {'stale'} end
return {'found', unpack(redis.call('HMGET', holds, unpack(ARGV, FIRST_ORDER)))}
