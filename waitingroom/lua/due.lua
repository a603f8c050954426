-- What the clock asks of a room at this moment. At the opening the cohort is counted, once: from
-- then on no clock, leader or operator changes who is drawn and from what. At the end the room
-- closes, once for each end that was set. A clock that jumps back undoes nothing.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] draw
-- KEYS[4] changes
-- ARGV[1] generation
-- ARGV[2] fence of the leader
-- ARGV[3] now (ms); 0: Redis's own clock
-- ARGV[4] note of a closing (JSON, without the moment)
-- ARGV[5] notes kept, at most
-- Returns: {unknown} | {generation, current} | {fenced} | {nothing} | {closed} | {draw, cohort, outside}
-- Changes: draw (generation, cohort, outside, frozen_ms), or settings (state, closed_for), changes.
local settings_key, line_key, draw_key, changes_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, fence, now_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local note, notes_max = ARGV[4], tonumber(ARGV[5])

if now_ms == 0 then
  local time = redis.call('TIME')
  now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
end
local now_text = string.format('%d', now_ms)
local room = redis.call('HMGET', settings_key, 'generation', 'mode', 'state', 'lottery', 'opens_at',
  'closes_at', 'closed_for', 'outside')
local mode, state, lottery = room[2], room[3], room[4]
local opens_ms, closes_ms = tonumber(room[5]), tonumber(room[6])
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
local line = redis.call('HMGET', line_key, 'fence', 'issued')
if fence < (tonumber(line[1]) or 0) then return {'fenced'} end
local frozen = redis.call('HMGET', draw_key, 'generation', 'cohort', 'outside')
local is_frozen = frozen[1] == generation
local ends = closes_ms and now_ms >= closes_ms and room[6] ~= room[7] and mode ~= 'off'
local opens = mode == 'scheduled' and lottery == generation
  and (is_frozen or (opens_ms and now_ms >= opens_ms))
if is_frozen and opens then return {'draw', tonumber(frozen[2]), frozen[3]} end
if not opens and not ends then return {'nothing'} end

if opens then
  redis.call('DEL', draw_key)
  redis.call('HSET', draw_key, 'generation', generation, 'cohort', line[2] or '0',
    'outside', room[8] or '', 'frozen_ms', now_text)
  redis.call('HSET', line_key, 'fence', string.format('%d', fence))
  return {'draw', tonumber(line[2]) or 0, room[8] or ''}
end
redis.call('HSET', settings_key, 'closed_for', room[6], 'updated_at', now_text)
redis.call('HINCRBY', settings_key, 'version', 1)
if state == 'closed' then return {'closed'} end
redis.call('HSET', settings_key, 'state', 'closed')
redis.call('LPUSH', changes_key, (string.gsub(note, '"at":0', '"at":' .. now_text, 1)))
redis.call('LTRIM', changes_key, 0, notes_max - 1)
return {'closed'}
