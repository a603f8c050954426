-- THE GATE. A called visitor is let in. Whatever the serving number says, afterwards: at most
-- burst + rate x time were let in over any span, at most the ceiling are in flight, and one subject
-- holds one lease. A repeat gets the same visit and costs nothing. Unused permits don't gather
-- beyond the burst. Permits are counted in 1/60000, so that rate x ms is a whole number of them.
-- Number 0 is a program without a place: an automatic room lets it in while nobody waits and permits
-- are left for all who were called lately and didn't come yet. Staff needn't be called.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] places, the bucket of this subject
-- KEYS[4] done
-- KEYS[5] knocked
-- KEYS[6] leases
-- KEYS[7] visits
-- KEYS[8] bucket
-- KEYS[9] called
-- KEYS[10] standing
-- KEYS[11] came
-- KEYS[12] left
-- KEYS[13] owners
-- ARGV[1] generation
-- ARGV[2] subject
-- ARGV[3] number
-- ARGV[4] jti of a new pass
-- ARGV[5] time a lease outlives its pass, for the notice that it was used (ms)
-- ARGV[6] now (ms); 0: Redis's own clock
-- ARGV[7] 1: staff
-- Returns: {unknown} | {generation, current} | {off} | {queue} | {waiting} | {gone} | {repeat, visit} | {over} | {not-called, serving} | {passed, serving} | {lapsed} | {shut, state} | {rate, retry in ms} | {full} | {admitted, visit}
-- Changes: came; bucket; standing; knocked (when refused by rate or ceiling); and, admitted: done, leases, visits, claimed, implicit, left (a number never called).
local settings_key, line_key, places_key, done_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local knocked_key, leases_key, visits_key, bucket_key = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local called_key, standing_key, came_key, left_key = KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local owners_key = KEYS[13]
local generation, subject, number = ARGV[1], ARGV[2], tonumber(ARGV[3])
local jti, slack_ms, now_ms, is_staff = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7] == '1'
local PERMIT, BURST_S, QUIET_MAX_MS = 60000, 1, 3600000
-- After a loss of Redis the gate opens this slowly, from a tenth of the rate to all of it.
local RAMP_MS = 60000
--@ owner

if now_ms == 0 then
  local time = redis.call('TIME')
  now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
end
local room = redis.call('HMGET', settings_key, 'generation', 'mode', 'state', 'rate_per_minute',
  'ceiling', 'pass_seconds', 'lease_seconds', 'armed_at')
local mode, state = room[2], room[3]
local rate, ceiling = tonumber(room[4]), tonumber(room[5])
local pass_s, lease_s = tonumber(room[6]), tonumber(room[7])
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
local is_off = mode == 'off' or (mode == 'auto' and (tonumber(room[8]) or 0) == 0)
local is_program, awaited = number == 0, 0
if is_off then return {'off'} end
if is_program and mode ~= 'auto' then return {'queue'} end
if not is_program and tonumber(redis.call('HGET', places_key, subject)) ~= number then return {'gone'} end
if is_anothers(number, subject) then return {'gone'} end
local lease_ms = tonumber(redis.call('ZSCORE', leases_key, subject))
local visit = redis.call('HGET', visits_key, subject)
if lease_ms and lease_ms > now_ms and visit then return {'repeat', visit} end
local line = redis.call('HMGET', line_key, 'serving', 'lapsed', 'gate_ms', 'awaited', 'there',
  'there_upto', 'issued', 'beside')
for i = 1, 8 do line[i] = tonumber(line[i]) or 0 end
local serving, lapsed, gate_ms = line[1], line[2], line[3]
if is_program then
  if state ~= 'open' then return {'shut', state} end
  local is_waiting = line[5] > 0 or line[7] > line[6] or redis.call('ZCARD', standing_key) > 0
  if is_waiting or line[8] > 0 then return {'waiting'} end
  awaited = line[4]
else
  if redis.call('GETBIT', done_key, number) == 1 then return {'over'} end
  local is_called = redis.call('GETBIT', called_key, number) == 1
  local is_late = number <= lapsed and redis.call('GETBIT', knocked_key, number) == 0
  if number > serving and not is_staff then return {'not-called', serving} end
  if is_late and not is_staff then return {'lapsed'} end
  if not is_called and not is_staff then return {'passed', serving} end
  if state == 'held' or state == 'closed' then return {'shut', state} end
end
local since_ms = now_ms - (tonumber(redis.call('HGET', line_key, 'recovered_ms')) or 0)
if since_ms >= 0 and since_ms < RAMP_MS then
  rate = math.max(1, math.floor(rate * (0.1 + 0.9 * since_ms / RAMP_MS)))
end
local capacity = math.max(1, math.floor(rate * BURST_S / 60)) * PERMIT
local bucket = redis.call('HMGET', bucket_key, 'permits', 'counted_ms')
local permits = math.min(tonumber(bucket[1]) or capacity, capacity)
local counted_ms = tonumber(bucket[2]) or now_ms
local quiet_ms = math.max(0, math.min(now_ms - counted_ms, QUIET_MAX_MS))
permits = math.min(capacity, permits + quiet_ms * rate)
local in_flight = redis.call('ZCOUNT', leases_key, '(' .. string.format('%d', now_ms), '+inf')
local full, price = in_flight + awaited >= ceiling, PERMIT * (1 + awaited)

-- Who was not called is no sign of how many of the called come.
if not is_program and number <= serving then redis.call('SETBIT', came_key, number, 1) end
if permits < price or full then
  if not is_program then
    redis.call('SETBIT', knocked_key, number, 1)
    if number <= serving then redis.call('ZADD', standing_key, gate_ms, number) end
  end
  -- A clock that jumped back must not freeze the gate: count from here, without credit.
  redis.call('HSET', bucket_key, 'permits', permits, 'counted_ms', now_ms)
  if full then return {'full'} end
  return {'rate', math.ceil((price - permits) / rate)}
end
local iat = math.floor(now_ms / 1000)
visit = string.format('%s:%d:%s:%d:%d:%d', generation, number, jti, iat, iat + pass_s, iat + lease_s)
redis.call('HSET', bucket_key, 'permits', permits - PERMIT, 'counted_ms', now_ms)
if not is_program then redis.call('SETBIT', done_key, number, 1) end
redis.call('ZADD', leases_key, (iat + pass_s) * 1000 + slack_ms, subject)
redis.call('HSET', visits_key, subject, visit)
redis.call('ZREM', standing_key, number)
redis.call('HINCRBY', line_key, 'claimed', 1)
if is_program then redis.call('HINCRBY', line_key, 'implicit', 1) end
if number > serving then redis.call('RPUSH', left_key, number) end
return {'admitted', visit}
