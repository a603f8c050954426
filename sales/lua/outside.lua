-- Seats that their owner has given to somebody we don't know, or has back: free ones become X, which
-- nobody can hold, and X ones free. What is held or sold here stays: that its owner decides is asked
-- of him when it is held, not here.
--
-- KEYS[1] epoch      what these keys were filled from
-- KEYS[2] seats      string, one byte a seat: F free, H held, S sold, X not ours to sell
-- KEYS[3] version    integer
--
-- ARGV[1] token      must equal KEYS[1]
-- ARGV[2] mark       X taken outside, F free again
-- ARGV[3...] seats   indices
--
-- Returns:
--   stale         the keys are of another epoch: refill and ask again
--   marked count  so many have changed
-- Changes: seats, version.

local epoch, seats, version = KEYS[1], KEYS[2], KEYS[3]
local token, mark = ARGV[1], ARGV[2]
local FIRST_SEAT = 3

if redis.call('GET', epoch) ~= token then return {'stale'} end
local before = mark == 'X' and 'F' or 'X'
local marked = {}
for i = FIRST_SEAT, #ARGV do
  local seat = ARGV[i]
  if redis.call('GETRANGE', seats, seat, seat) == before then marked[#marked + 1] = seat end
end

for _, seat in ipairs(marked) do redis.call('SETRANGE', seats, seat, mark) end
if #marked > 0 then redis.call('INCR', version) end
return {'marked', #marked}
