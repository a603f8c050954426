-- The leader calls the next numbers: as many as the rate gives for the time since the last tick,
-- and no more than could enter: the ceiling less those in flight and those called a moment ago.
-- Numbers given up are passed over free of charge. What can't be used now is not saved for later.
-- The gate's own clock runs only while people can enter; grace is measured on it.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] leases
-- KEYS[4] visits
-- KEYS[5] done
-- KEYS[6] called
-- KEYS[7] live, this window
-- ARGV[1] generation
-- ARGV[2] fence of the leader
-- ARGV[3] now (ms)
-- ARGV[4] how long an ended lease is remembered (ms)
-- Returns: {unknown} | {generation, current} | {fenced} | {still, serving} | {ticked, serving, how many were called}
-- Changes: line (serving, lapsed, living, clocks, fence), called; sweeps leases and visits long ended.
local settings_key, line_key, leases_key, visits_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local done_key, called_key, live_key = KEYS[5], KEYS[6], KEYS[7]
local generation, fence = ARGV[1], tonumber(ARGV[2])
local now_ms, remember_ms = tonumber(ARGV[3]), tonumber(ARGV[4])
-- A call counts against the ceiling until it is taken, or for this long; a longer pause than
-- STEP_MAX_MS between ticks gives no more; one tick looks at WALK_MAX numbers, sweeps SWEEP_MAX.
local STANDING_MS, STEP_MAX_MS, WALK_MAX, SWEEP_MAX = 6000, 1000, 20000, 500

local room = redis.call('HMGET', settings_key, 'generation', 'mode', 'state', 'rate_per_minute',
  'ceiling', 'grace_seconds')
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
local mode, state, rate, ceiling = room[2], room[3], tonumber(room[4]), tonumber(room[5])
local grace_ms = tonumber(room[6]) * 1000
local line = redis.call('HMGET', line_key, 'issued', 'serving', 'lapsed', 'rest', 'ticked_ms',
  'gate_ms', 'fence')
local issued, serving, lapsed = tonumber(line[1]) or 0, tonumber(line[2]) or 0, tonumber(line[3]) or 0
local rest, ticked_ms = tonumber(line[4]) or 0, tonumber(line[5]) or now_ms
local gate_ms = tonumber(line[6]) or 0
if fence < (tonumber(line[7]) or 0) then return {'fenced'} end

local step_ms = math.max(0, math.min(now_ms - ticked_ms, STEP_MAX_MS))
local may_call = mode == 'on' and (state == 'open' or state == 'drained')
local may_enter = may_call or (mode == 'on' and state == 'paused')
if may_enter then gate_ms = gate_ms + step_ms end

local function serving_at(moment_ms, otherwise)
  local found = redis.call('ZREVRANGEBYSCORE', called_key, moment_ms, '-inf', 'LIMIT', 0, 1)
  return tonumber(found[1]) or otherwise
end
local function is_done(number)
  return redis.call('GETBIT', done_key, number) == 1
end
local function count_bits(key, first, last)
  local count = 0
  while first <= last and first % 8 ~= 0 do
    count = count + redis.call('GETBIT', key, first)
    first = first + 1
  end
  while last >= first and last % 8 ~= 7 do
    count = count + redis.call('GETBIT', key, last)
    last = last - 1
  end
  if first > last then return count end
  return count + redis.call('BITCOUNT', key, (first - first % 8) / 8, (last - 7) / 8)
end

lapsed = math.max(lapsed, serving_at(gate_ms - grace_ms, lapsed))
local called = 0
if may_call then
  local lately = math.max(lapsed, serving_at(gate_ms - STANDING_MS, lapsed))
  local standing = serving - lately - count_bits(done_key, lately + 1, serving)
  local in_flight = redis.call('ZCOUNT', leases_key, '(' .. string.format('%d', now_ms), '+inf')
  local budget = rest + rate * step_ms
  local standing_max = math.max(1, math.floor(rate * STANDING_MS / 60000))
  local allowed = math.min(math.floor(budget / 60000), ceiling - in_flight - standing,
    standing_max - standing)
  local last = math.min(issued, serving + WALK_MAX)
  while serving < last do
    local passed_over = is_done(serving + 1)
    if not passed_over and called >= allowed then break end
    serving = serving + 1
    if not passed_over then called = called + 1 end
  end
  -- One call stays ready for whoever comes next; the rest of what wasn't used is gone.
  rest = math.min(budget - called * 60000, 60000)
end
local living = count_bits(live_key, serving + 1, issued)
local ended = redis.call('ZRANGEBYSCORE', leases_key, '-inf',
  string.format('%d', now_ms - remember_ms), 'LIMIT', 0, SWEEP_MAX)

redis.call('HSET', line_key, 'serving', serving, 'lapsed', lapsed, 'rest', rest, 'living', living,
  'ticked_ms', now_ms, 'gate_ms', gate_ms, 'fence', string.format('%d', fence))
if called > 0 then redis.call('ZADD', called_key, gate_ms, serving) end
redis.call('ZREMRANGEBYSCORE', called_key, '-inf', gate_ms - grace_ms)
if #ended > 0 then
  redis.call('ZREM', leases_key, unpack(ended))
  redis.call('HDEL', visits_key, unpack(ended))
end
if not may_call then return {'still', serving} end
return {'ticked', serving, called}
