-- Gives back seats that an order holds, at its owner's wish: all of those named, or all of the
-- order when none is named. Afterwards they are free for everybody, as far as they are still ours to
-- sell. A hold that is over but not
-- yet swept may still be given back.
--
-- KEYS[1] epoch      what these keys were filled from
-- KEYS[2] seats      string, one byte a seat: F free, H held, S sold, X not ours to sell
-- KEYS[3] holders    hash seat -> "order:account"
-- KEYS[4] holds      hash order -> "account:expires:latest:mode:seat,seat,..." (epoch ms; mode b or f)
-- KEYS[5] expiring   sorted set order -> expires (epoch ms)
-- KEYS[6] tally      hash account -> places held and owned
-- KEYS[7] version    integer
-- KEYS[8] allotments what was given to us of each zone; not handed where all seats are ours
--
-- ARGV[1] token      must equal KEYS[1]
-- ARGV[2] order      id
-- ARGV[3] account    id
-- ARGV[4...] seats   indices, distinct; none: all that the order holds
--
-- Returns:
--   stale             the keys are of another epoch: refill and ask again
--   foreign           the hold, or one of the seats, is another account's
--   frozen            the order is being paid
--   unheld seat...    these are not held by this order; nothing was given back
--   released seat...  these were given back
-- Changes: all keys but the epoch.

local epoch, seats, holders, holds = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expiring, tally, version, allotments = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local token, order, account = ARGV[1], ARGV[2], ARGV[3]
local FIRST_SEAT = 4
--@ patched
--@ allotments

if redis.call('GET', epoch) ~= token then return {'stale'} end

local pack = redis.call('HGET', holds, order) or (account .. ':0:0:b:')
local who, expires, latest, mode, names = string.match(pack, '^(%d+):(%d+):(%d+):(%a):([%d,]*)$')
if who ~= account then return {'foreign'} end
local mine = {}
for seat in string.gmatch(names, '%d+') do mine[seat] = true end

local leaving, unheld, gone = {}, {}, {}
for i = FIRST_SEAT, #ARGV do
  local seat = ARGV[i]
  if mine[seat] then
    leaving[#leaving + 1], gone[seat] = seat, true
  else
    local holder = redis.call('HGET', holders, seat)
    if holder and string.match(holder, ':(%d+)$') ~= account then return {'foreign'} end
    unheld[#unheld + 1] = seat
  end
end
if mode == 'f' then return {'frozen'} end
if #unheld > 0 then return {'unheld', unpack(unheld)} end
if #ARGV < FIRST_SEAT then
  for seat in pairs(mine) do leaving[#leaving + 1], gone[seat] = seat, true end
end
if #leaving == 0 then return {'unheld'} end
local staying = {}
for seat in string.gmatch(names, '%d+') do
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
  redis.call('HSET', holds, order, table.concat({account, expires, latest, mode, rest}, ':'))
else
  redis.call('HDEL', holds, order)
  redis.call('ZREM', expiring, order)
end
if redis.call('HINCRBY', tally, account, -#leaving) == 0 then redis.call('HDEL', tally, account) end
redis.call('INCR', version)
return {'released', unpack(leaving)}
