-- PostgreSQL has decided that an order lets go of seats, held or sold: of those named, or of all
-- it holds when none is named. What another order has taken in the meantime stays untouched, so
-- that a late or repeated call does no harm. A seat that is not ours to sell any more is not free.
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
-- ARGV[3...] seats   indices, distinct; none: all that the order holds
--
-- Returns:
--   stale           the keys are of another epoch: refill and ask again
--   freed seat...   these were this order's and are free now
-- Changes: all keys but the epoch.

local epoch, seats, holders, holds = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expiring, frozen, tally, version = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local allotments = KEYS[9]
local token, order = ARGV[1], ARGV[2]
local FIRST_SEAT = 3
--@ patched
--@ allotments

if redis.call('GET', epoch) ~= token then return {'stale'} end

local pack = redis.call('HGET', holds, order)
local who, expires, latest, mode, names
if pack then
  who, expires, latest, mode, names = string.match(pack, '^(%d+):(%d+):(%d+):(%a):([%d,]*)$')
end
local named = {}
for i = FIRST_SEAT, #ARGV do named[#named + 1] = ARGV[i] end
if #named == 0 and pack then
  for seat in string.gmatch(names, '%d+') do named[#named + 1] = seat end
end

local leaving, gone, staying = {}, {}, {}
for _, seat in ipairs(named) do
  local other, account = string.match(redis.call('HGET', holders, seat) or '', '^(%d+):(%d+)$')
  if other == order then
    leaving[#leaving + 1], gone[seat], who = seat, true, account
  end
end
if #leaving == 0 then return {'freed'} end
for seat in string.gmatch(names or '', '%d+') do
  if not gone[seat] then staying[#staying + 1] = seat end
end
local zones, changed = given(), {}

for _, seat in ipairs(leaving) do
  redis.call('SETRANGE', seats, seat, 'F')
  redis.call('HDEL', holders, seat)
  changed[seat] = 'F'
end
settle(zones, changed)
if #staying > 0 then
  local rest = table.concat(staying, ',')
  redis.call('HSET', holds, order, table.concat({who, expires, latest, mode, rest}, ':'))
else
  redis.call('HDEL', holds, order)
  redis.call('ZREM', expiring, order)
  redis.call('ZREM', frozen, order)
end
if redis.call('HINCRBY', tally, who, -#leaving) == 0 then redis.call('HDEL', tally, who) end
redis.call('INCR', version)
return {'freed', unpack(leaving)}
