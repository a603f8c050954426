-- Which lottery this line's numbers come from. Reads only.
-- KEYS[1] settings
-- KEYS[2] draw
-- Returns: {unknown} | {none, generation} | {drawn, generation, lottery's generation, count, seed, outside, drawn at in ms, source of the value from outside}
-- Changes: nothing.
local settings_key, draw_key = KEYS[1], KEYS[2]

local room = redis.call('HMGET', settings_key, 'generation', 'lottery')
local lottery = tonumber(room[2]) or 0
if not room[1] then return {'unknown'} end
local draw = redis.call('HMGET', draw_key, 'generation', 'cohort', 'seed', 'outside', 'drawn_ms',
  'source')
if lottery == 0 or lottery ~= tonumber(room[1]) - 1 or draw[1] ~= room[2] or not draw[3] then
  return {'none', room[1]}
end
return {'drawn', room[1], draw[1], draw[2], draw[3], draw[4] or '', draw[5], draw[6] or ''}
