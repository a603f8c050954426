-- Whether a number still is a place: one whose turn was missed neither passes on nor stands in the
-- way of a better one. Uses the locals done_key, knocked_key and lapsed of the command.
--
-- Returns: is_good(held) yes or no
-- Changes: nothing.

local function is_good(held)
  if redis.call('GETBIT', done_key, held) == 1 then return false end
  return held > lapsed or redis.call('GETBIT', knocked_key, held) == 1
end
