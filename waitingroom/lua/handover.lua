-- A place passes to whoever opened the link that its holder made; a link does so once.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] places, the bucket of the subject that gives
-- KEYS[4] places, the bucket of the subject that takes
-- KEYS[5] done
-- KEYS[6] left
-- KEYS[7] knocked
-- KEYS[8] owners
-- KEYS[9] moves
-- KEYS[10] link
-- ARGV[1] generation
-- ARGV[2] subject that gives
-- ARGV[3] subject that takes
-- ARGV[4] number that is given
-- ARGV[5] how long a used link is remembered (s)
-- ARGV[6] how often the place had changed hands when the link was made
-- Returns: {unknown} | {generation, current} | {used} | {gone} | {better, number of the taker} | {moved, how often the place has changed hands}
-- Changes: both places, link, owners, moves; done and left (a worse number that the taker had).
local settings_key, line_key, from_key, to_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local done_key, left_key, knocked_key = KEYS[5], KEYS[6], KEYS[7]
local owners_key, moves_key, link_key = KEYS[8], KEYS[9], KEYS[10]
local generation, from, to = ARGV[1], ARGV[2], ARGV[3]
local number, remember_s, hands = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
--@ owner

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
local count, whose = owner_of(number)
if redis.call('EXISTS', link_key) == 1 then
  -- Whoever took the place and presses the button again has it.
  local is_theirs = tonumber(redis.call('HGET', to_key, to)) == number
  if not is_theirs then return {'used'} end
  return {'moved', count}
end
if tonumber(redis.call('HGET', from_key, from)) ~= number then return {'gone'} end
if whose ~= '' and whose ~= from then return {'gone'} end
local line = redis.call('HMGET', line_key, 'serving', 'lapsed')
local serving, lapsed = tonumber(line[1]) or 0, tonumber(line[2]) or 0
--@ good
if not is_good(number) then return {'gone'} end
local own = tonumber(redis.call('HGET', to_key, to))
if own and own < number and is_good(own) then return {'better', own} end

redis.call('SET', link_key, 1, 'EX', remember_s)
redis.call('HDEL', from_key, from)
redis.call('HSET', to_key, to, number)
if own then redis.call('SETBIT', done_key, own, 1) end
if own and own > serving then redis.call('RPUSH', left_key, own) end
hands = math.max(count, hands) + 1
becomes(number, hands, to)
return {'moved', hands}
