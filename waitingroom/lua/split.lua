-- Two lines are called to one gate, the invited and the others. Altogether so many claimers are
-- missing there; the lane of the invited gets its part of them while people wait in both lines, and
-- all of them while in the other nobody does; so does the other. What rounding gives to one line too
-- much is owed to the other. Where there is no lane nothing is changed.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] line of the lane
-- KEYS[4] standing, of the lane
-- ARGV[1] generation
-- ARGV[2] fence of the leader
-- Returns: {unknown} | {generation, current} | {fenced} | {alone} | {split, how many of the lane to call, how many of the others}
-- Changes: wanted of both; line (beside: how many of the lane count as waiting); lane (owed in thousandths, seen, seen_beside).
local settings_key, line_key, lane_key, standing_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local generation, fence = ARGV[1], tonumber(ARGV[2])
-- As in lua/tick.lua; and at most so much is owed as stands at the gate, a tenth of a minute.
local SHARE_MIN, OWED_PART, MILLI = 0.02, 0.1, 1000

local room = redis.call('HMGET', settings_key, 'generation', 'rate_per_minute', 'lane_share')
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
local rate, part = tonumber(room[2]), (tonumber(room[3]) or 50) / 100
if redis.call('EXISTS', lane_key) == 0 then return {'alone'} end
local names = {'fence', 'share', 'calls', 'recalls', 'issued', 'there', 'there_upto', 'standing',
  'at_door', 'missing', 'owed', 'seen', 'seen_beside', 'awaited'}
local function read(key)
  local found, words = {}, redis.call('HMGET', key, unpack(names))
  for i, name in ipairs(names) do found[name] = tonumber(words[i]) end
  local waiting = (found.there or 0) + (found.issued or 0) - (found.there_upto or 0)
  found.waiting, found.called = waiting, (found.calls or 0) + (found.recalls or 0)
  found.sure = math.max(SHARE_MIN, found.share or 1)
  return found
end
local line, lane = read(line_key), read(lane_key)
if fence < (line.fence or 0) or fence < (lane.fence or 0) then return {'fenced'} end

local missing = math.max(0, ((line.missing or 0) - (lane.standing or 0)) / MILLI)
local cap = math.max(0, rate - (line.at_door or 0) - (lane.at_door or 0))
local owed, most_owed = 0, math.max(1, rate * OWED_PART)
local mine = 0
if line.waiting <= 0 then
  mine = missing
elseif lane.waiting > 0 then
  local gave = (lane.called - (lane.seen or lane.called)) * lane.sure
  local gave_beside = (line.called - (lane.seen_beside or line.called)) * line.sure
  owed = (lane.owed or 0) / MILLI + part * (gave + gave_beside) - gave
  owed = math.max(-most_owed, math.min(most_owed, owed))
  mine = math.max(0, math.min(missing, part * missing + owed))
end
local wanted = math.max(0, math.min(cap, math.ceil(mine / lane.sure)))
local others = missing - math.min(wanted, math.max(0, lane.waiting)) * lane.sure
local wanted_beside = math.max(0, math.min(cap - wanted, math.ceil(others / line.sure)))
local beside = math.max(0, lane.waiting) + (lane.awaited or 0) + redis.call('ZCARD', standing_key)

redis.call('HSET', lane_key, 'wanted', wanted, 'owed', math.floor(owed * MILLI), 'seen', lane.called,
  'seen_beside', line.called)
redis.call('HSET', line_key, 'wanted', wanted_beside, 'beside', beside)
return {'split', wanted, wanted_beside}
