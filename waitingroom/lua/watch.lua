-- An automatic room is armed when requests pass a threshold within WINDOW_MS, or when an operator
-- or the schedule stops it, and disarmed when for a longer time there are few and nobody waits.
-- What is not heard is no calm: a teller that falls silent, or a gap of the leader's, only delays.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] traffic
-- KEYS[4] changes
-- ARGV[1] generation
-- ARGV[2] fence of the leader
-- ARGV[3] now (ms); 0: Redis's own clock
-- ARGV[4] notes kept, at most
-- Returns: {unknown} | {generation, current} | {fenced} | {manual} | {watched, requests, armed since in ms or 0} | {armed, requests, now} | {disarmed, requests, 0}
-- Changes: line (requests, calm_ms, watched_ms), traffic (what is old); armed or disarmed: settings (armed_at, version, updated_at), changes.
local settings_key, line_key, traffic_key, changes_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, fence = ARGV[1], tonumber(ARGV[2])
local now_ms, notes_max = tonumber(ARGV[3]), tonumber(ARGV[4])
-- A teller tells every second. Silent for SILENT_MS it is missed, for FORGOTTEN_MS it is forgotten.
local WINDOW_MS, SKEW_MS, SILENT_MS, FORGOTTEN_MS, GAP_MS = 5000, 1500, 10000, 300000, 10000

if now_ms == 0 then
  local time = redis.call('TIME')
  now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
end
local now_text = string.format('%d', now_ms)
local room = redis.call('HMGET', settings_key, 'generation', 'mode', 'state', 'armed_at',
  'arm_requests', 'disarm_requests', 'disarm_seconds')
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
if room[2] ~= 'auto' then return {'manual'} end
local state, armed_ms = room[3], tonumber(room[4]) or 0
local arm_from, calm_below, calm_s = tonumber(room[5]), tonumber(room[6]), tonumber(room[7])
local line = redis.call('HMGET', line_key, 'fence', 'calm_ms', 'watched_ms', 'there', 'there_upto',
  'issued', 'beside')
for i = 1, 7 do line[i] = tonumber(line[i]) or 0 end
local calm_ms, watched_ms = line[2], line[3]
local is_waiting = line[4] > 0 or line[6] > line[5] or line[7] > 0
if fence < line[1] then return {'fenced'} end

local requests, is_heard, is_missed, old = 0, false, false, {}
local told = redis.call('HGETALL', traffic_key)
for i = 1, #told, 2 do
  local kind, name = string.match(told[i], '^(%a):(.*)$')
  local value = tonumber(told[i + 1])
  local age_ms = now_ms - (kind == 'c' and tonumber(name) * 1000 or value)
  if age_ms < -SKEW_MS or age_ms >= (kind == 'c' and 2 * WINDOW_MS or FORGOTTEN_MS) then
    old[#old + 1] = told[i]
  elseif kind == 'c' then
    if age_ms < WINDOW_MS then requests = requests + value end
  else
    is_heard, is_missed = true, is_missed or age_ms > SILENT_MS
  end
end
local is_calm = requests < calm_below and is_heard and not is_missed and not is_waiting
  and state == 'open'
local is_watched = now_ms >= watched_ms and now_ms - watched_ms < GAP_MS
if not is_calm then calm_ms = 0 elseif calm_ms == 0 or not is_watched then calm_ms = now_ms end
local arms = armed_ms == 0 and (requests >= arm_from or state ~= 'open')
local disarms = armed_ms > 0 and calm_ms > 0 and now_ms - calm_ms >= calm_s * 1000

redis.call('HSET', line_key, 'requests', requests, 'calm_ms', calm_ms, 'watched_ms', now_text)
if #old > 0 then redis.call('HDEL', traffic_key, unpack(old)) end
if not arms and not disarms then return {'watched', requests, armed_ms} end
armed_ms = arms and now_ms or 0
redis.call('HSET', settings_key, 'armed_at', string.format('%d', armed_ms), 'updated_at', now_text)
redis.call('HINCRBY', settings_key, 'version', 1)
local note = '{"at":%s,"actor":"auto","changes":{"armed":%s,"requests":%d}}'
redis.call('LPUSH', changes_key, string.format(note, now_text, tostring(arms), requests))
redis.call('LTRIM', changes_key, 0, notes_max - 1)
return {arms and 'armed' or 'disarmed', requests, armed_ms}
