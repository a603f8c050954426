-- Ends holds whose time is over: their seats are free afterwards, if they are still ours to sell. A frozen hold whose time is over
-- is only reported, for PostgreSQL alone knows what became of its order.
--
-- KEYS[1] seats      string, one byte a seat: F free, H held, S sold, X not ours to sell
-- KEYS[2] holders    hash seat -> "order:account"
-- KEYS[3] holds      hash order -> "account:expires:latest:mode:seat,seat,..." (epoch ms; mode b or f)
-- KEYS[4] expiring   sorted set order -> expires (epoch ms), while choosing
-- KEYS[5] frozen     sorted set order -> expires (epoch ms), while paying
-- KEYS[6] tally      hash account -> places held and owned
-- KEYS[7] version    integer
-- KEYS[8] allotments what was given to us of each zone; none where all seats are ours
--
-- ARGV[1] now        (epoch ms)
-- ARGV[2] max        holds to end, and frozen ones to report, at most
--
-- Returns:
--   lapsed ended next order...   holds ended; the end of the hold that is due next (epoch ms, empty
--                                for none, not later than now if some are left); frozen orders
--                                whose time is over
-- Changes: all keys.

local seats, holders, holds = KEYS[1], KEYS[2], KEYS[3]
local expiring, frozen, tally, version = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local allotments = KEYS[8]
local now, max = ARGV[1], tonumber(ARGV[2])
--@ patched
--@ allotments

local due = redis.call('ZRANGEBYSCORE', expiring, '-inf', now, 'LIMIT', 0, max)
local unsure = redis.call('ZRANGEBYSCORE', frozen, '-inf', now, 'LIMIT', 0, max)
local next_due = ''
for _, queue in ipairs({expiring, frozen}) do
  local after = queue == expiring and #due or 0
  local head = redis.call('ZRANGE', queue, after, after, 'WITHSCORES')
  if head[2] and (next_due == '' or tonumber(head[2]) < tonumber(next_due)) then next_due = head[2] end
end
local packs = {}
for i, order in ipairs(due) do packs[i] = redis.call('HGET', holds, order) end
local zones, changed = #due > 0 and given() or {}, {}

for i, order in ipairs(due) do
  local account, names = string.match(packs[i], '^(%d+):.*:([%d,]*)$')
  local freed = 0
  for seat in string.gmatch(names, '%d+') do
    redis.call('SETRANGE', seats, seat, 'F')
    redis.call('HDEL', holders, seat)
    changed[seat] = 'F'
    freed = freed + 1
  end
  if redis.call('HINCRBY', tally, account, -freed) == 0 then redis.call('HDEL', tally, account) end
  redis.call('HDEL', holds, order)
  redis.call('ZREM', expiring, order)
end
settle(zones, changed)
if #due > 0 then redis.call('INCR', version) end
return {'lapsed', #due, next_due, unpack(unsure)}
