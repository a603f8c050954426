-- Puts an event on the list of those that the ticker visits, or keeps it there longer.
--
-- KEYS[1] holding   sorted set event -> moment until which it is visited (epoch ms)
--
-- ARGV[1] event     id
-- ARGV[2] until     (epoch ms)
--
-- Returns:
--   watched
-- Changes: holding.

local holding = KEYS[1]
local event, till = ARGV[1], ARGV[2]

redis.call('ZADD', holding, 'GT', till, event)
return {'watched'}
