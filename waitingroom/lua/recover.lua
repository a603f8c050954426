-- Redis has lost something: it came back empty, or with data older than what a process remembers.
-- What is known outside is put back, so that no number is given twice, nobody already called is
-- called back, and nobody more than the ceiling is inside. Several processes may do this at once.
-- Whoever was in flight is known only by their count: as many nameless leases stand for them, which
-- end when a visit of unknown origin ends (lua/free.lua), or with the longest lease.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] leases
-- KEYS[4] visits
-- KEYS[5] bucket
-- KEYS[6] done
-- KEYS[7] left
-- ARGV[1] generation that is remembered
-- ARGV[2] version of the settings
-- ARGV[3] highest number known to have been issued
-- ARGV[4] serving number
-- ARGV[5] how many more numbers may have been issued unseen, at most
-- ARGV[6] how many were in flight
-- ARGV[7] longest lease (ms)
-- ARGV[8] now (ms); 0: Redis's own clock
-- ARGV[9] how many of the following are settings (field, value, …)
-- ARGV[10] how many after them are of the line (field, value, …)
-- ARGV[11] how many after them are numbers given up; the rest are numbers used
-- Returns: {newer} | {whole} | {recovered, issued}
-- Changes: if anything was lost: settings, line, done, left, leases and visits (nameless), bucket (emptied).
local settings_key, line_key, leases_key, visits_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local bucket_key, done_key, left_key = KEYS[5], KEYS[6], KEYS[7]
local generation, version, highest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known_serving, gap, in_flight = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local lease_ms, now_ms = tonumber(ARGV[7]), tonumber(ARGV[8])
local settings_end = 11 + tonumber(ARGV[9])
local line_end = settings_end + tonumber(ARGV[10])
local left_end = line_end + tonumber(ARGV[11])

if now_ms == 0 then
  local time = redis.call('TIME')
  now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
end
local room = redis.call('HMGET', settings_key, 'generation', 'version')
local found, found_version = tonumber(room[1]) or -1, tonumber(room[2]) or 0
if found > generation then return {'newer'} end
local line = redis.call('HMGET', line_key, 'issued', 'serving')
local issued, serving = tonumber(line[1]) or 0, tonumber(line[2]) or 0
local is_behind = issued < highest or serving < known_serving
if found == generation and found_version >= version and not is_behind then return {'whole'} end

if found < generation or found_version < version then
  redis.call('DEL', settings_key)
  for i = 12, settings_end, 2 do redis.call('HSET', settings_key, ARGV[i], ARGV[i + 1]) end
end
if not is_behind then return {'recovered', issued} end
for i = settings_end + 1, line_end, 2 do redis.call('HSET', line_key, ARGV[i], ARGV[i + 1]) end
issued = math.max(issued, highest)
redis.call('DEL', left_key)
for i = line_end + 1, left_end do
  redis.call('RPUSH', left_key, ARGV[i])
  redis.call('SETBIT', done_key, ARGV[i], 1)
end
for i = left_end + 1, #ARGV do redis.call('SETBIT', done_key, ARGV[i], 1) end
for number = issued + 1, issued + gap do
  redis.call('RPUSH', left_key, number)
  redis.call('SETBIT', done_key, number, 1)
end
-- Signs of life are lost as well: whoever counts them begins anew.
redis.call('HSET', line_key, 'issued', issued + gap, 'serving', math.max(serving, known_serving),
  'ticked_ms', now_ms, 'listening_ms', now_ms, 'recovered_ms', now_ms)
redis.call('HSET', bucket_key, 'permits', 0, 'counted_ms', now_ms)
local there = redis.call('ZCOUNT', leases_key, '(' .. string.format('%d', now_ms), '+inf')
for i = 1, in_flight - there do redis.call('ZADD', leases_key, now_ms + lease_ms, 'nameless:' .. i) end
if in_flight > there then redis.call('HSET', visits_key, 'nameless', in_flight - there) end
return {'recovered', issued + gap}
