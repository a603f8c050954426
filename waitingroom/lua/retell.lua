-- A lottery that Redis has lost is put back as a process remembers it: it can't have been another.
-- KEYS[1] settings
-- KEYS[2] draw
-- ARGV[1] generation of the lottery
-- ARGV[2] count
-- ARGV[3] seed
-- ARGV[4] outside
-- ARGV[5] drawn at (ms)
-- ARGV[6] source of the value from outside
-- Returns: {unknown} | {other} | {whole} | {told}
-- Changes: draw, if it was lost.
local settings_key, draw_key = KEYS[1], KEYS[2]
local lottery = ARGV[1]

local room = redis.call('HMGET', settings_key, 'generation', 'lottery')
if not room[1] then return {'unknown'} end
if room[2] ~= lottery or tonumber(room[1]) ~= tonumber(lottery) + 1 then return {'other'} end
if redis.call('HGET', draw_key, 'seed') == ARGV[3] then return {'whole'} end

redis.call('DEL', draw_key)
redis.call('HSET', draw_key, 'generation', lottery, 'cohort', ARGV[2], 'seed', ARGV[3],
  'outside', ARGV[4], 'drawn_ms', ARGV[5], 'source', ARGV[6])
return {'told'}
