-- Calls as many as the tick wants: first those who were passed over and came back, by number, then
-- the next living. An absent number is passed over only for one who is there. Of two who are there
-- throughout, the lower number is called first.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] done
-- KEYS[4] reached
-- KEYS[5] called
-- KEYS[6] returned
-- KEYS[7] live, this window
-- ARGV[1] generation
-- ARGV[2] fence of the leader
-- Returns: {unknown} | {generation, current} | {fenced} | {called, serving, how many}
-- Changes: line (serving, calls, recalls, living, there, there_upto, awaited, wanted), reached, called, returned.
local settings_key, line_key, done_key, reached_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local called_key, returned_key, live_key = KEYS[5], KEYS[6], KEYS[7]
local generation, fence = ARGV[1], tonumber(ARGV[2])
-- One run calls and looks at so many at most; the rest waits for the next.
local CALLS_MAX, BACK_MAX, LOOK_BYTES, PAGE_BYTES = 5000, 500, 8192, 256

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local line = redis.call('HMGET', line_key, 'issued', 'serving', 'calls', 'recalls', 'wanted',
  'all_live', 'gate_ms', 'fence', 'awaited')
for i = 1, 9 do line[i] = tonumber(line[i]) or 0 end
local issued, serving, calls, recalls = line[1], line[2], line[3], line[4]
local wanted, all_live, gate_ms = math.min(CALLS_MAX, line[5]), line[6] == 1, line[7]
if fence < line[8] then return {'fenced'} end

local function is_there(number)
  return redis.call('GETBIT', done_key, number) == 0
    and (all_live or redis.call('GETBIT', live_key, number) == 1)
end
local function next_there(most)
  local found, at, last, looked = {}, math.floor((serving + 1) / 8), math.floor(issued / 8), 0
  while #found < most and looked < LOOK_BYTES do
    local first = all_live and at * 8 or redis.call('BITPOS', live_key, 1, at)
    at = math.floor(first / 8)
    if first < 0 or at > last then return found end
    local living = redis.call('GETRANGE', live_key, at, at + PAGE_BYTES - 1)
    local done = redis.call('GETRANGE', done_key, at, at + PAGE_BYTES - 1)
    for i = 1, PAGE_BYTES do
      local byte = all_live and 255 or string.byte(living, i) or 0
      byte = bit.band(byte, bit.bnot(string.byte(done, i) or 0))
      for place = 0, byte > 0 and 7 or -1 do
        local number, is_set = (at + i - 1) * 8 + place, bit.band(byte, bit.rshift(128, place)) > 0
        if is_set and number > serving and number <= issued and #found < most then
          found[#found + 1] = number
        end
      end
    end
    at, looked = at + PAGE_BYTES, looked + PAGE_BYTES
  end
  -- So many given up and yet heard: don't look at them again.
  if #found == 0 and most > 0 then serving = math.max(serving, math.min(issued, at * 8 - 1)) end
  return found
end
--@ bits

local back, absent = {}, {}
local returned = wanted > 0 and redis.call('ZRANGE', returned_key, 0, BACK_MAX - 1) or {}
for _, number in ipairs(returned) do
  if not is_there(number) then absent[#absent + 1] = number
  elseif #back < wanted then back[#back + 1] = number end
end
local ahead = next_there(wanted - #back)
serving, calls, recalls = ahead[#ahead] or serving, calls + #ahead, recalls + #back
local living = count_bits(live_key, serving + 1, issued)
-- How many of the first so many numbers wait and are there: while it is nobody, programs may enter.
local there = all_live and issued - serving - count_bits(done_key, serving + 1, issued) or living
there = there + redis.call('ZCARD', returned_key) - #absent - #back

if #absent > 0 then redis.call('ZREM', returned_key, unpack(absent)) end
if #back > 0 then redis.call('ZREM', returned_key, unpack(back)) end
for _, number in ipairs(back) do redis.call('SETBIT', called_key, number, 1) end
for _, number in ipairs(ahead) do redis.call('SETBIT', called_key, number, 1) end
redis.call('HSET', line_key, 'serving', serving, 'calls', calls, 'recalls', recalls, 'living',
  living, 'there', there, 'there_upto', issued, 'awaited', line[9] + #ahead + #back, 'wanted', 0)
if #ahead + #back > 0 then
  redis.call('ZADD', reached_key, gate_ms, string.format('%d:%d:%d', serving, calls, recalls))
end
return {'called', serving, #ahead + #back}
