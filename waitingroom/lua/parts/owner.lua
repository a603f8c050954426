-- Whose numbers are, once they have changed hands. Uses the locals owners_key and, in `becomes`,
-- moves_key of the command.
--
-- Returns:
--   owner_of(number)                how often it has changed hands (0: never), its owner ('': its first)
--   is_anothers(number, subject)    whether somebody else is known to own it
--   becomes(number, hands, subject) nothing
-- Changes: owners and moves, in `becomes` alone.

local function owner_of(number)
  local owner = redis.call('HGET', owners_key, number)
  if not owner then return 0, '' end
  local colon = string.find(owner, ':', 1, true)
  return tonumber(string.sub(owner, 1, colon - 1)), string.sub(owner, colon + 1)
end

local function is_anothers(number, subject)
  local _, whose = owner_of(number)
  return whose ~= '' and whose ~= subject
end

local function becomes(number, hands, subject)
  redis.call('HSET', owners_key, number, hands .. ':' .. subject)
  redis.call('RPUSH', moves_key, number .. ':' .. hands .. ':' .. subject)
end
