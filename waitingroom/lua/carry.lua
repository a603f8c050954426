-- Before the draw: numbers drawn for entrants who have left are given up in the line to come.
-- Asked by two leaders, or twice by one, it is done once: pages join where the last one ended.
-- KEYS[1] settings
-- KEYS[2] left, of the line to come
-- KEYS[3] done, of the line to come
-- ARGV[1] generation
-- ARGV[2] how many were carried before these
-- ARGV[3..n] numbers
-- Returns: {unknown} | {generation, current} | {elsewhere, how many are carried} | {carried, how many are carried}
-- Changes: left and done of the line to come.
local settings_key, left_key, done_key = KEYS[1], KEYS[2], KEYS[3]
local generation, before = ARGV[1], tonumber(ARGV[2])

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local carried = redis.call('LLEN', left_key)
if carried ~= before then return {'elsewhere', carried} end

for i = 3, #ARGV do
  redis.call('SETBIT', done_key, ARGV[i], 1)
  redis.call('RPUSH', left_key, ARGV[i])
end
return {'carried', before + #ARGV - 2}
