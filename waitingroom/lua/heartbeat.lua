-- Waiters are still here: their numbers count as living in this window and the next. Who was passed
-- over and comes back before the grace is over will be called before new numbers. Numbers that were
-- used or given up are nobody's: they don't count.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] live, this window
-- KEYS[4] live, the next window
-- KEYS[5] called
-- KEYS[6] done
-- KEYS[7] knocked
-- KEYS[8] returned
-- ARGV[1] generation
-- ARGV[2] life of a live window (s)
-- ARGV[3..n] numbers
-- Returns: {unknown} | {generation, current} | {heard, each number that is no longer in line}
-- Changes: both live windows; knocked and returned (who came back in time).
local settings_key, line_key, live_key, live_next_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local called_key, done_key, knocked_key, returned_key = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local generation, live_s = ARGV[1], tonumber(ARGV[2])

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local line = redis.call('HMGET', line_key, 'serving', 'lapsed')
local serving, lapsed = tonumber(line[1]) or 0, tonumber(line[2]) or 0
local function is_set(key, number)
  return redis.call('GETBIT', key, number) == 1
end
local back, there, answer = {}, {}, {'heard'}
for i = 3, #ARGV do
  local number = tonumber(ARGV[i])
  local in_time = number > lapsed or (number <= serving and is_set(knocked_key, number))
  local in_line = not is_set(done_key, number)
  if in_line then there[#there + 1] = number else answer[#answer + 1] = number end
  if number <= serving and in_time and not is_set(called_key, number) and in_line then
    back[#back + 1] = number
  end
end

for _, number in ipairs(there) do
  redis.call('SETBIT', live_key, number, 1)
  redis.call('SETBIT', live_next_key, number, 1)
end
redis.call('EXPIRE', live_key, live_s)
redis.call('EXPIRE', live_next_key, live_s)
for _, number in ipairs(back) do
  redis.call('SETBIT', knocked_key, number, 1)
  redis.call('ZADD', returned_key, number, number)
end
return answer
