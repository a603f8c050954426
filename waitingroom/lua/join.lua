-- A visitor takes the next place in line. Whoever has a place keeps it, and no number is burned:
-- one subject has at most one number that can still be used. In the pre-queue the number is an
-- entrant's; after the draw, whoever was an entrant is told apart, and follows (lua/follow.lua).
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] places, the bucket of this subject
-- KEYS[4] done
-- KEYS[5] knocked
-- KEYS[6] leases
-- KEYS[7] live, this window
-- KEYS[8] live, the next window
-- KEYS[9] places of the generation before, the bucket of this subject
-- ARGV[1] generation
-- ARGV[2] subject
-- ARGV[3] now (ms)
-- ARGV[4] life of a live window (s)
-- ARGV[5] generation of the next
-- ARGV[6] a number that was certainly issued: less in the line means that Redis lost something
-- Returns: {unknown} | {generation, current} | {behind} | {off} | {again, number} | {cohort, entrant} | {closed, state} | {soon, when places are given in ms} | {full, most places} | {joined, number}
-- Changes: issued, places, done (a spent number of this subject), both live windows.
local settings_key, line_key, places_key, done_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local knocked_key, leases_key, live_key, live_next_key = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local before_key = KEYS[9]
local generation, subject = ARGV[1], ARGV[2]
local now_ms, live_s = tonumber(ARGV[3]), tonumber(ARGV[4])
local floor = ARGV[5] == generation and tonumber(ARGV[6]) or 0

local room = redis.call('HMGET', settings_key, 'generation', 'mode', 'state', 'lottery',
  'prequeue_at', 'opens_at', 'armed_at', 'places_max')
local mode, state, lottery = room[2], room[3], tonumber(room[4]) or 0
local begins_ms = tonumber(room[5]) or tonumber(room[6]) or 0
local is_off = mode == 'off' or (mode == 'auto' and (tonumber(room[7]) or 0) == 0)
local places_max = tonumber(room[8])
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
if (tonumber(redis.call('HGET', line_key, 'issued')) or 0) < floor then return {'behind'} end
if is_off then return {'off'} end

local function is_full()
  local line = redis.call('HMGET', line_key, 'issued', 'serving')
  local issued, serving = tonumber(line[1]) or 0, tonumber(line[2]) or 0
  if not places_max or issued - serving < places_max then return false end
  -- Numbers given up are nobody's place.
  local first = serving + 1 - (serving + 1) % 8
  local given_up = redis.call('BITCOUNT', done_key, first / 8, -1)
  for number = first, serving do given_up = given_up - redis.call('GETBIT', done_key, number) end
  return issued - serving - given_up >= places_max
end

local held = tonumber(redis.call('HGET', places_key, subject))
if held then
  local lease_ms = tonumber(redis.call('ZSCORE', leases_key, subject))
  local inside = lease_ms and lease_ms > now_ms
  local used = redis.call('GETBIT', done_key, held) == 1
  local lapsed = held <= (tonumber(redis.call('HGET', line_key, 'lapsed')) or 0)
    and redis.call('GETBIT', knocked_key, held) == 0
  if inside or not (used or lapsed) then return {'again', held} end
elseif lottery > 0 and lottery == tonumber(generation) - 1 then
  local entrant = tonumber(redis.call('HGET', before_key, subject))
  if entrant then return {'cohort', entrant} end
end
if state == 'closed' or state == 'drained' then return {'closed', state} end
if mode == 'scheduled' and now_ms < begins_ms then return {'soon', begins_ms} end
if is_full() then return {'full', places_max} end

local number = redis.call('HINCRBY', line_key, 'issued', 1)
redis.call('HSET', places_key, subject, number)
if held then redis.call('SETBIT', done_key, held, 1) end
redis.call('SETBIT', live_key, number, 1)
redis.call('SETBIT', live_next_key, number, 1)
redis.call('EXPIRE', live_key, live_s)
redis.call('EXPIRE', live_next_key, live_s)
return {'joined', number}
