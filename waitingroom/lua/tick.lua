-- The leader's reckoning: how many to call now, so that about STANDING_MS of claimers stand at the
-- gate. Counted are those who stand there, and those called a moment ago times the share of calls
-- that turn into claims, learned here. The rate is kept by the gate; nothing is saved up here.
-- The gate's own clock runs only while people can enter; grace is measured on it.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] leases
-- KEYS[4] reached
-- KEYS[5] came
-- KEYS[6] standing
-- ARGV[1] generation
-- ARGV[2] fence of the leader
-- ARGV[3] now (ms)
-- Returns: {unknown} | {generation, current} | {fenced} | {still, serving} | {ticked, serving, how many to call}
-- Changes: line (lapsed, share, learned, wanted, awaited, standing and missing in thousandths, at_door, all_live, clocks, fence), reached and standing (what is old).
local settings_key, line_key, leases_key = KEYS[1], KEYS[2], KEYS[3]
local reached_key, came_key, standing_key = KEYS[4], KEYS[5], KEYS[6]
local generation, fence, now_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
-- Who comes at all mostly comes within ARRIVE_MS; who was refused asks again within FRESH_MS.
local STANDING_MS, ARRIVE_MS, FRESH_MS, MINUTE_MS = 6000, 2500, 10000, 60000
-- A longer pause than STEP_MAX_MS between ticks counts as that. After one of GAP_MS signs of life
-- may be lost: everybody counts as living until they had LISTEN_MS to be heard.
local STEP_MAX_MS, GAP_MS, LISTEN_MS = 1000, 10000, 75000
-- The share is a running average over about so many calls, or what the rate gives in LEARN_MS.
local SHARE_MIN, LEARN_CALLS, LEARN_MS = 0.02, 12, 3000

local room = redis.call('HMGET', settings_key, 'generation', 'mode', 'state', 'rate_per_minute',
  'ceiling', 'grace_seconds', 'armed_at')
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
local mode, state, rate, ceiling = room[2], room[3], tonumber(room[4]), tonumber(room[5])
local grace_ms = tonumber(room[6]) * 1000
local line = redis.call('HMGET', line_key, 'serving', 'lapsed', 'calls', 'recalls', 'learned',
  'learned_calls', 'gate_ms', 'fence', 'share', 'ticked_ms', 'listening_ms')
for i = 1, 11 do line[i] = tonumber(line[i]) or (i < 9 and 0) end
local serving, lapsed, calls, recalls = line[1], line[2], line[3], line[4]
local learned, learned_calls, gate_ms, share = line[5], line[6], line[7], line[9] or 1
local ticked_ms, listening_ms = line[10] or now_ms, line[11] or now_ms
if fence < line[8] then return {'fenced'} end

local gone_ms = now_ms - ticked_ms
if gone_ms > GAP_MS or gone_ms < 0 then listening_ms = now_ms end
local is_on = mode == 'on' or (mode == 'auto' and (tonumber(room[7]) or 0) > 0)
local may_call = is_on and (state == 'open' or state == 'drained')
local may_enter = may_call or (is_on and state == 'paused')
if may_enter then gate_ms = gate_ms + math.max(0, math.min(gone_ms, STEP_MAX_MS)) end

local function reached_at(moment_ms)
  local found = redis.call('ZREVRANGEBYSCORE', reached_key, moment_ms, '-inf', 'LIMIT', 0, 1)[1]
  local at, by_calls, by_recalls = string.match(found or '0:0:0', '(%d+):(%d+):(%d+)')
  return tonumber(at), tonumber(by_calls), tonumber(by_recalls)
end
--@ bits

lapsed = math.max(lapsed, (reached_at(gate_ms - grace_ms)))
local came_upto, came_calls, came_recalls = reached_at(gate_ms - ARRIVE_MS)
local is_lost = calls + recalls > 0 and redis.call('EXISTS', reached_key) == 0
if is_lost then
  -- Redis has forgotten who was called when: begin anew, all of them just now.
  came_upto, came_calls, came_recalls = serving, calls, recalls
  learned, learned_calls = serving, calls
end
local asked = came_calls - learned_calls
if asked > 0 then
  local came = math.min(1, count_bits(came_key, learned + 1, came_upto) / asked)
  local memory = math.max(LEARN_CALLS, rate * LEARN_MS / MINUTE_MS)
  share = share + (came - share) * (1 - math.pow(1 - 1 / memory, asked))
  learned, learned_calls = came_upto, came_calls
end
local fresh_ms = gate_ms - FRESH_MS - math.floor(MINUTE_MS / rate)
local wanted, awaited, at_door, standing, missing = 0, 0, 0, 0, 0
if may_call then
  local sure = math.max(SHARE_MIN, share)
  local at_gate = redis.call('ZCOUNT', standing_key, fresh_ms, '+inf')
  local arrived = count_bits(came_key, came_upto + 1, serving)
  local first, again = calls - came_calls, recalls - came_recalls
  standing = at_gate + math.max(0, share * first - arrived) + share * again
  local in_flight = redis.call('ZCOUNT', leases_key, '(' .. string.format('%d', now_ms), '+inf')
  awaited = math.max(0, first - arrived) + again
  at_door = at_gate + awaited
  missing = math.min(math.max(1, rate * STANDING_MS / MINUTE_MS), ceiling - in_flight) - standing
  -- Should everybody come who was called, they still are in within a minute.
  wanted = math.max(0, math.min(rate - at_door, math.ceil(missing / sure)))
end
-- The newest that is old enough for grace is still needed, to tell where grace ended.
local graced = redis.call('ZREVRANGEBYSCORE', reached_key, gate_ms - math.max(grace_ms, ARRIVE_MS),
  '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]

redis.call('HSET', line_key, 'lapsed', lapsed, 'share', share, 'learned', learned, 'learned_calls',
  learned_calls, 'wanted', wanted, 'awaited', awaited, 'at_door', at_door,
  'standing', math.floor(standing * 1000), 'missing', math.floor(missing * 1000),
  'gate_ms', gate_ms, 'ticked_ms', now_ms, 'listening_ms',
  listening_ms, 'all_live', now_ms - listening_ms < LISTEN_MS and 1 or 0, 'fence',
  string.format('%d', fence))
if is_lost then
  redis.call('ZADD', reached_key, gate_ms, string.format('%d:%d:%d', serving, calls, recalls))
end
if graced then redis.call('ZREMRANGEBYSCORE', reached_key, '-inf', '(' .. graced) end
redis.call('ZREMRANGEBYSCORE', standing_key, '-inf', '(' .. fresh_ms)
if not may_call then return {'still', serving} end
return {'ticked', serving, wanted}
