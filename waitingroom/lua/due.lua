-- What the clock asks of a room at this moment. At the opening the cohort is counted, once: from
-- then on no clock, leader or operator changes who is drawn and from what. A lottery that named a
-- source for its value from outside waits for that value, or for the word to go without. At the end
-- the room closes, once for each end that was set. A clock that jumps back undoes nothing.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] draw
-- KEYS[4] changes
-- ARGV[1] generation
-- ARGV[2] fence of the leader
-- ARGV[3] now (ms); 0: Redis's own clock
-- ARGV[4] note of a closing (JSON, without the moment)
-- ARGV[5] notes kept, at most
-- Returns: {unknown} | {generation, current} | {fenced} | {nothing} | {closed} | {awaits, cohort} | {draw, cohort, outside}
-- Changes: draw (generation, cohort, source, frozen_ms, outside) and line (counted), or settings (state, closed_for), changes.
local settings_key, line_key, draw_key, changes_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, fence, now_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local note, notes_max = ARGV[4], tonumber(ARGV[5])

if now_ms == 0 then
  local time = redis.call('TIME')
  now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
end
local now_text = string.format('%d', now_ms)
local room = redis.call('HMGET', settings_key, 'generation', 'mode', 'state', 'lottery', 'opens_at',
  'closes_at', 'closed_for', 'outside', 'outside_source', 'without_outside')
local mode, state, lottery = room[2], room[3], room[4]
local opens_ms, closes_ms = tonumber(room[5]), tonumber(room[6])
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
local line = redis.call('HMGET', line_key, 'fence', 'issued', 'counted')
if fence < (tonumber(line[1]) or 0) then return {'fenced'} end
local frozen = redis.call('HMGET', draw_key, 'generation', 'cohort', 'outside', 'source')
local is_frozen = frozen[1] == generation
local ends = closes_ms and now_ms >= closes_ms and room[6] ~= room[7] and mode ~= 'off'
local opens = mode == 'scheduled' and lottery == generation
  and (is_frozen or line[3] or (opens_ms and now_ms >= opens_ms))
local cohort, source, outside = frozen[2], frozen[4] or '', frozen[3]
if not is_frozen then cohort, source, outside = line[3] or line[2] or '0', room[9] or '', false end
local given, goes_without = room[8] or '', room[10] == '1'
local is_news = not outside and (source == '' or given ~= '' or goes_without)
if opens and outside then return {'draw', tonumber(cohort), outside} end
if not opens and not ends then return {'nothing'} end

if opens and not is_frozen then
  redis.call('DEL', draw_key)
  redis.call('HSET', draw_key, 'generation', generation, 'cohort', cohort, 'source', source,
    'frozen_ms', now_text)
  redis.call('HSET', line_key, 'fence', string.format('%d', fence), 'counted', cohort)
end
if opens and is_news then
  redis.call('HSET', draw_key, 'outside', given)
  return {'draw', tonumber(cohort), given}
end
if not ends then return {'awaits', tonumber(cohort)} end
redis.call('HSET', settings_key, 'closed_for', room[6], 'updated_at', now_text)
redis.call('HINCRBY', settings_key, 'version', 1)
if state == 'closed' then return {'closed'} end
redis.call('HSET', settings_key, 'state', 'closed')
redis.call('LPUSH', changes_key, (string.gsub(note, '"at":0', '"at":' .. now_text, 1)))
redis.call('LTRIM', changes_key, 0, notes_max - 1)
return {'closed'}
