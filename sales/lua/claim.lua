-- PostgreSQL has decided that these seats are this order's, claimed (H) or sold (S): makes it so,
-- whoever held them here. Whoever loses one to it keeps the rest of his hold, and so does the order
-- itself. Asking again changes nothing; a sold seat never goes back to claimed.
--
-- KEYS[1] epoch      what these keys were filled from
-- KEYS[2] seats      string, one byte a seat: F free, H held, S sold, X not ours to sell
-- KEYS[3] holders    hash seat -> "order:account"
-- KEYS[4] holds      hash order -> "account:expires:latest:mode:seat,seat,..." (epoch ms; mode b or f)
-- KEYS[5] expiring   sorted set order -> expires (epoch ms), while choosing
-- KEYS[6] frozen     sorted set order -> expires (epoch ms), while paying
-- KEYS[7] tally      hash account -> places held and owned
-- KEYS[8] version    integer
-- KEYS[9] allotments what was given to us of each zone; not handed where all seats are ours
--
-- ARGV[1] token      must equal KEYS[1]
-- ARGV[2] order      id
-- ARGV[3] account    id; empty where the caller does not know it
-- ARGV[4] mark       H claimed, S sold
-- ARGV[5] until      when PostgreSQL is asked about a claimed order again (epoch ms)
-- ARGV[6...] seats   indices, distinct
--
-- Returns:
--   stale         the keys are of another epoch: refill and ask again
--   whose         a seat is not this order's here and the account is not told: look it up
--   unknown seat  there is no such seat
--   claimed       done
-- Changes: all keys but the epoch.

local epoch, seats, holders, holds = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expiring, frozen, tally, version = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local allotments = KEYS[9]
local token, order, account, mark, till = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local FIRST_SEAT = 6
local PACK = '^(%d+):(%d+):(%d+):(%a):([%d,]*)$'
--@ patched
--@ allotments

if redis.call('GET', epoch) ~= token then return {'stale'} end

-- Seats to mark, seats new to the order, and the packs of the orders that lose some of theirs.
local marked, gained, named, losers, changed = {}, {}, {}, {}, {}
local held = {}
for i = FIRST_SEAT, #ARGV do
  local seat = ARGV[i]
  local state = redis.call('GETRANGE', seats, seat, seat)
  if state == '' then return {'unknown', seat} end
  local other, loser = string.match(redis.call('HGET', holders, seat) or '', '^(%d+):(%d+)$')
  named[seat] = true
  if other ~= order then
    if account == '' then return {'whose'} end
    gained[#gained + 1] = seat
    if other then
      losers[#losers + 1] = loser
      changed[other] = changed[other] or redis.call('HGET', holds, other) or nil
    end
  end
  if other ~= order or (mark == 'S' and state ~= 'S') then marked[#marked + 1] = seat end
  if mark == 'H' and (other ~= order or state == 'H') then held[#held + 1] = seat end
end
local who, ends, latest, mode, names = account, till, '0', 'f', ''
local pack = redis.call('HGET', holds, order)
if pack then who, ends, latest, mode, names = string.match(pack, PACK) end
if mark == 'H' then ends, mode = till, 'f' end
local list = {}
for seat in string.gmatch(names, '%d+') do
  if not named[seat] then list[#list + 1] = seat end
end
for _, seat in ipairs(held) do list[#list + 1] = seat end

local zones, letters = given(), {}

local function count(whose, by)
  if by ~= 0 and redis.call('HINCRBY', tally, whose, by) == 0 then redis.call('HDEL', tally, whose) end
end

for _, seat in ipairs(marked) do
  redis.call('SETRANGE', seats, seat, mark)
  letters[seat] = mark
end
settle(zones, letters)
for _, seat in ipairs(gained) do redis.call('HSET', holders, seat, order .. ':' .. account) end
for _, loser in ipairs(losers) do count(loser, -1) end
for other, hold in pairs(changed) do
  local loser, ends, last, mode, names = string.match(hold, PACK)
  local staying = {}
  for seat in string.gmatch(names, '%d+') do
    if not named[seat] then staying[#staying + 1] = seat end
  end
  if #staying > 0 then
    local rest = table.concat(staying, ',')
    redis.call('HSET', holds, other, table.concat({loser, ends, last, mode, rest}, ':'))
  else
    redis.call('HDEL', holds, other)
    redis.call('ZREM', expiring, other)
    redis.call('ZREM', frozen, other)
  end
end
count(who, #gained)
redis.call('ZREM', expiring, order)
redis.call('ZREM', frozen, order)
if #list > 0 then
  redis.call('HSET', holds, order, table.concat({who, ends, latest, mode, table.concat(list, ',')}, ':'))
  redis.call('ZADD', mode == 'f' and frozen or expiring, ends, order)
else
  redis.call('HDEL', holds, order)
end
if #marked > 0 then redis.call('INCR', version) end
return {'claimed'}
