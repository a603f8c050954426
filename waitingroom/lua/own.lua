-- Whose numbers are that have changed hands: told again after a loss of Redis, or for the line to come.
-- Of two owners of a number the newer stays. Doing it twice changes nothing.
-- KEYS[1] settings
-- KEYS[2] owners
-- KEYS[3] moves
-- ARGV[1] generation of the room, if Redis knows it
-- ARGV[2..n] number, how often it changed hands, whose it is, number, …
-- Returns: {generation, current} | {owned, how many of them were news}
-- Changes: owners, moves.
local settings_key, owners_key, moves_key = KEYS[1], KEYS[2], KEYS[3]
local generation, news = ARGV[1], 0
--@ owner

local current = redis.call('HGET', settings_key, 'generation')
if current and current ~= generation then return {'generation', current} end

for i = 2, #ARGV, 3 do
  local number, count, whose = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if tonumber(count) > owner_of(number) then
    becomes(number, count, whose)
    news = news + 1
  end
end
return {'owned', news}
