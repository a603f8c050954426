-- Rebuilds an event's keys from what PostgreSQL knows. If they are of the same epoch (a Redis that
-- came back from its own file, or a replica that took over), holds that PostgreSQL doesn't know
-- survive where it has given none of their seats to others and what was given to us is not exceeded; of an older epoch nothing survives.
-- Of several that fill at once the first one counts.
--
-- KEYS[1] epoch      what these keys were filled from
-- KEYS[2] seats      string, one byte a seat: F free, H held, S sold, X not ours to sell
-- KEYS[3] holders    hash seat -> "order:account"
-- KEYS[4] holds      hash order -> "account:expires:latest:mode:seat,seat,..." (epoch ms; mode b or f)
-- KEYS[5] expiring   sorted set order -> expires (epoch ms), while choosing
-- KEYS[6] frozen     sorted set order -> expires (epoch ms), while paying
-- KEYS[7] tally      hash account -> places held and owned
-- KEYS[8] version    integer
-- KEYS[9] allotments  what was given to us of each zone
--
-- ARGV[1] token      "epoch-run" that the content is of; the epoch is a number
-- ARGV[2] now        the version will be higher than this and than the old one (epoch ms)
-- ARGV[3] content    of KEYS[2]
-- ARGV[4] given      content of KEYS[9]; empty where all seats are ours
-- ARGV[5...] claims  of PostgreSQL, packed "order:account:until:mark:seat,seat,..."; mark H or S
--
-- Returns:
--   kept     filled already, or from a newer epoch
--   filled   done
-- Changes: all keys.

local epoch, seats, holders, holds = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expiring, frozen, tally, version = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local allotments = KEYS[9]
local token, now, content, allotted = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local FIRST_CLAIM = 5
-- Holders are written many at a time: Redis stands still meanwhile, and calls cost most of it.
local FIELDS_MAX = 2000
--@ patched
--@ allotments

local old = redis.call('GET', epoch) or '0-'
local old_number = tonumber(string.match(old, '^%d+'))
local new_number = tonumber(string.match(token, '^%d+'))
if old == token or old_number > new_number then return {'kept'} end

local decided, surviving = {}, {}
for i = FIRST_CLAIM, #ARGV do decided[string.match(ARGV[i], '^%d+')] = true end
local rooms = {}
for first, last, places in string.gmatch(allotted, GIVEN) do
  local taken = taken_in(string.sub(content, first + 1, last + 1))
  rooms[#rooms + 1] = {first = tonumber(first), last = tonumber(last), left = places - taken}
end
local function fits(names)
  local wanted = {}
  for seat in string.gmatch(names, '%d+') do
    local room = zone_of(rooms, seat)
    if room then wanted[room] = (wanted[room] or 0) + 1 end
  end
  for room, n in pairs(wanted) do
    if n > room.left then return false end
  end
  for room, n in pairs(wanted) do room.left = room.left - n end
  return true
end
if old_number == new_number then
  local known = redis.call('HGETALL', holds)
  for i = 1, #known, 2 do
    local names, free = string.match(known[i + 1], ':([%d,]*)$'), not decided[known[i]]
    for seat in string.gmatch(names, '%d+') do
      free = free and string.sub(content, seat + 1, seat + 1) == 'F'
    end
    if free and fits(names) then surviving[known[i]] = known[i + 1] end
  end
end
local newest = math.max(now, tonumber(redis.call('GET', version) or 0)) + 1

redis.call('DEL', holders, holds, expiring, frozen, tally, allotments)
if allotted ~= '' then redis.call('SET', allotments, allotted) end
redis.call('SET', seats, content)
redis.call('SET', version, string.format('%.0f', newest))
redis.call('SET', epoch, token)
local fields = {}
local function write_holders()
  if #fields > 0 then redis.call('HSET', holders, unpack(fields)) end
  fields = {}
end
local function give(order, account, names, mark)
  local places, holder = 0, order .. ':' .. account
  for seat in string.gmatch(names, '%d+') do
    if mark then redis.call('SETRANGE', seats, seat, mark) end
    fields[#fields + 1], fields[#fields + 2] = seat, holder
    if #fields >= FIELDS_MAX then write_holders() end
    places = places + 1
  end
  redis.call('HINCRBY', tally, account, places)
end
for i = FIRST_CLAIM, #ARGV do
  local order, account, till, mark, names = string.match(ARGV[i], '^(%d+):(%d+):(%d+):(%a):([%d,]+)$')
  give(order, account, names)
  if mark == 'H' then
    redis.call('HSET', holds, order, table.concat({account, till, '0', 'f', names}, ':'))
    redis.call('ZADD', frozen, till, order)
  end
end
for order, pack in pairs(surviving) do
  local account, expires, mode, names = string.match(pack, '^(%d+):(%d+):%d+:(%a):([%d,]*)$')
  give(order, account, names, 'H')
  redis.call('HSET', holds, order, pack)
  redis.call('ZADD', mode == 'f' and frozen or expiring, expires, order)
end
write_holders()
settle(given(), {})
return {'filled'}
