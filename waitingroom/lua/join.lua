-- Visitors take the next places in line, in the order in which they came. Whoever has a place keeps
-- it, and no number is burned: one subject has at most one number that can still be used. In the
-- pre-queue the number is an entrant's; after the draw, whoever was an entrant is told apart, and
-- follows (lua/follow.lua).
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] done
-- KEYS[4] knocked
-- KEYS[5] leases
-- KEYS[6] live, this window
-- KEYS[7] live, the next window
-- KEYS[8..n] places, the bucket of each subject; after a draw, as many of the generation before
-- ARGV[1] generation
-- ARGV[2] now (ms)
-- ARGV[3] life of a live window (s)
-- ARGV[4] generation of the next
-- ARGV[5] a number that was certainly issued: less in the line means that Redis lost something
-- ARGV[6..n] subjects
-- Returns: {unknown} | {generation, current} | {behind} | {off} | {drawn}: the buckets of before are needed | {answered, two fields for each subject}: again, number | cohort, entrant | closed, state | soon, when places are given in ms | full, most places | joined, number
-- Changes: issued, places, done (a spent number of a subject), both live windows.
local settings_key, line_key, done_key, knocked_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local leases_key, live_key, live_next_key = KEYS[5], KEYS[6], KEYS[7]
local generation, now_ms, live_s = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local floor = ARGV[4] == generation and tonumber(ARGV[5]) or 0
local SHARED_KEYS, SHARED_ARGS, BITS, ALL_BITS = 7, 5, 32, 4294967295
local count = #ARGV - SHARED_ARGS

local room = redis.call('HMGET', settings_key, 'generation', 'mode', 'state', 'lottery',
  'prequeue_at', 'opens_at', 'armed_at', 'places_max')
local mode, state, lottery = room[2], room[3], tonumber(room[4]) or 0
local begins_ms = tonumber(room[5]) or tonumber(room[6]) or 0
local is_off = mode == 'off' or (mode == 'auto' and (tonumber(room[7]) or 0) == 0)
local places_max = tonumber(room[8])
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
local line = redis.call('HMGET', line_key, 'issued', 'lapsed', 'serving')
local issued, lapsed = tonumber(line[1]) or 0, tonumber(line[2]) or 0
local serving = tonumber(line[3]) or 0
if issued < floor then return {'behind'} end
if is_off then return {'off'} end

local is_drawn = lottery > 0 and lottery == tonumber(generation) - 1
if is_drawn and #KEYS < SHARED_KEYS + 2 * count then return {'drawn'} end
local refusal, why
if state == 'closed' or state == 'drained' then refusal, why = 'closed', state
elseif mode == 'scheduled' and now_ms < begins_ms then refusal, why = 'soon', begins_ms end
-- How many more places the room gives; numbers given up are nobody's place.
local free = places_max and places_max - (issued - serving) or math.huge
if free < count then
  local first = serving + 1 - (serving + 1) % 8
  free = free + redis.call('BITCOUNT', done_key, first / 8, -1)
  for number = first, serving do free = free - redis.call('GETBIT', done_key, number) end
end
--@ good
-- Whether a number that a subject holds can still be used.
local function is_usable(subject, held)
  local lease_ms = tonumber(redis.call('ZSCORE', leases_key, subject))
  return (lease_ms and lease_ms > now_ms) or is_good(held)
end
local answers, given, spent, taken, last = {'answered'}, {}, {}, {}, issued
for i = 1, count do
  local subject, said, field = ARGV[SHARED_ARGS + i], refusal, why
  local held = taken[subject] or tonumber(redis.call('HGET', KEYS[SHARED_KEYS + i], subject))
  local entrant = is_drawn and not held
    and tonumber(redis.call('HGET', KEYS[SHARED_KEYS + count + i], subject))
  if held and (taken[subject] or is_usable(subject, held)) then said, field = 'again', held
  elseif entrant then said, field = 'cohort', entrant
  elseif not said and last - issued >= free then said, field = 'full', places_max
  elseif not said then
    last = last + 1
    said, field, taken[subject], given[i] = 'joined', last, last, last
    spent[#spent + 1] = held
  end
  answers[2 * i], answers[2 * i + 1] = said, field
end
if last == issued then return answers end

redis.call('HSET', line_key, 'issued', last)
for i, number in pairs(given) do
  redis.call('HSET', KEYS[SHARED_KEYS + i], ARGV[SHARED_ARGS + i], number)
end
for _, number in ipairs(spent) do redis.call('SETBIT', done_key, number, 1) end
for first = issued + 1, last, BITS do
  local width = math.min(BITS, last - first + 1)
  local kind, bits = 'u' .. width, width == BITS and ALL_BITS or 2 ^ width - 1
  redis.call('BITFIELD', live_key, 'SET', kind, first, string.format('%d', bits))
  redis.call('BITFIELD', live_next_key, 'SET', kind, first, string.format('%d', bits))
end
redis.call('EXPIRE', live_key, live_s)
redis.call('EXPIRE', live_next_key, live_s)
return answers
