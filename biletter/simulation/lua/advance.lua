-- What simple rules do: so many numbers more are called, whoever is behind them.
-- KEYS[1] line
-- KEYS[2] called
-- ARGV[1] how many
-- Returns: {advanced, serving}
-- Changes: serving; called.
local line_key, called_key = KEYS[1], KEYS[2]
local count = tonumber(ARGV[1])

local line = redis.call('HMGET', line_key, 'issued', 'serving')
local issued, serving = tonumber(line[1]) or 0, tonumber(line[2]) or 0
local upto = math.min(issued, serving + count)

redis.call('HSET', line_key, 'serving', upto)
for number = serving + 1, upto do redis.call('SETBIT', called_key, number, 1) end
return {'advanced', upto}
