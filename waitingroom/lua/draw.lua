-- The draw takes effect: the line begins as the next generation, in which every entrant has the
-- number drawn for them and whoever comes later follows. All at once, and at most once.
-- KEYS[1] settings
-- KEYS[2] line of the pre-queue
-- KEYS[3] line to come
-- KEYS[4] draw
-- KEYS[5] left, of the pre-queue
-- KEYS[6] left, of the line to come
-- KEYS[7] live of the line to come, this window
-- KEYS[8] live of the line to come, the next window
-- KEYS[9] changes
-- ARGV[1] generation
-- ARGV[2] fence of the leader
-- ARGV[3] now (ms); 0: Redis's own clock
-- ARGV[4] seed (hexadecimal)
-- ARGV[5] who is heard from in this window, by drawn number (bitmap)
-- ARGV[6] the same for the next window
-- ARGV[7] life of a live window (s)
-- ARGV[8] note of the change (JSON, without the moment)
-- ARGV[9] notes kept, at most
-- Returns: {unknown} | {generation, current} | {fenced} | {nothing} | {more, how many have left} | {drawn, generation}
-- Changes: settings (generation, mode), draw (seed, drawn_ms), the line to come, its live windows, changes.
local settings_key, before_key, line_key, draw_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local left_before_key, left_key, live_key, live_next_key = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local changes_key = KEYS[9]
local generation, fence, now_ms, seed = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local live, live_next, live_s = ARGV[5], ARGV[6], tonumber(ARGV[7])
local note, notes_max = ARGV[8], tonumber(ARGV[9])

if now_ms == 0 then
  local time = redis.call('TIME')
  now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
end
local now_text = string.format('%d', now_ms)
local room = redis.call('HMGET', settings_key, 'generation', 'mode', 'lottery')
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
local line = redis.call('HMGET', before_key, 'fence', 'issued', 'ticked_ms', 'listening_ms')
local issued = tonumber(line[2]) or 0
if fence < (tonumber(line[1]) or 0) then return {'fenced'} end
local frozen = redis.call('HMGET', draw_key, 'generation', 'cohort')
local cohort = tonumber(frozen[2])
if room[2] ~= 'scheduled' or room[3] ~= generation or frozen[1] ~= generation then
  return {'nothing'}
end
local left = redis.call('LLEN', left_before_key)
if left ~= redis.call('LLEN', left_key) then return {'more', left} end
local next_text = string.format('%d', tonumber(generation) + 1)

redis.call('SET', live_key, live)
redis.call('SET', live_next_key, live_next)
for number = cohort + 1, issued do
  redis.call('SETBIT', live_key, number, 1)
  redis.call('SETBIT', live_next_key, number, 1)
end
redis.call('EXPIRE', live_key, live_s)
redis.call('EXPIRE', live_next_key, live_s)
redis.call('HSET', line_key, 'issued', issued, 'fence', string.format('%d', fence))
-- Who is heard from is known; nobody has to be heard anew.
if line[3] and line[4] then
  redis.call('HSET', line_key, 'ticked_ms', line[3], 'listening_ms', line[4])
end
redis.call('HSET', draw_key, 'seed', seed, 'drawn_ms', now_text)
redis.call('HSET', settings_key, 'generation', next_text, 'mode', 'on', 'updated_at', now_text)
redis.call('HINCRBY', settings_key, 'version', 1)
redis.call('LPUSH', changes_key, (string.gsub(note, '"at":0', '"at":' .. now_text, 1)))
redis.call('LTRIM', changes_key, 0, notes_max - 1)
return {'drawn', next_text}
