-- What every command that holds seats for an order does, however the seats are chosen: first
-- `opened`, then `beyond` with the number of seats to be added, then `take`. Uses the part
-- allotments and the locals
-- holders, holds, expiring, tally, version, seats (keys), now, order, account, ttl, order_max and
-- person_max of the command. Holds that are over count for nothing: the oldest of them are let go
-- by `take`.
--
-- Returns:
--   opened() table        mine (set of seats), list (the same in order), freed (seat -> account),
--                         expires, latest, pack; or only no (foreign, frozen)
--   beyond(it, n) reply   many order_max, or person person_max has; nothing: within the limits
--   freed_letters(it)     seat -> F for those that are let go
--   beyond_given(it, zones, fresh) reply
--                         spent left; nothing: within what was given to us of each zone
--   take(it, fresh, zones) pack
--                         the hold, as in the hash
-- Changes: all keys but the epoch, in `take` alone.

-- Cleaning up after others stays a small part of a hold; the ticker does the rest.
local DUE_MAX = 20
local PACK = '^(%d+):(%d+):(%d+):(%a):([%d,]*)$'

local function opened()
  local due = redis.call('ZRANGEBYSCORE', expiring, '-inf', now, 'LIMIT', 0, DUE_MAX)
  local pack = redis.call('HGET', holds, order)
  local it = {mine = {}, list = {}, freed = {}, lapsed = {}, back = 0, pack = pack}
  it.latest, it.expires = now + 2 * ttl, now + ttl
  if pack then
    local who, ends, last, mode, names = string.match(pack, PACK)
    if mode == 'b' and tonumber(ends) <= now then
      due[#due + 1] = order
    else
      if who ~= account then return {no = 'foreign'} end
      if mode == 'f' then return {no = 'frozen'} end
      it.latest = tonumber(last)
      it.expires = math.max(tonumber(ends), math.min(it.expires, it.latest))
      for seat in string.gmatch(names, '%d+') do
        it.mine[seat] = true
        it.list[#it.list + 1] = seat
      end
    end
  end
  for _, other in ipairs(due) do
    if not it.lapsed[other] then
      local who, _, _, _, names = string.match(redis.call('HGET', holds, other), PACK)
      it.lapsed[other] = true
      for seat in string.gmatch(names, '%d+') do
        it.freed[seat] = who
        if who == account then it.back = it.back + 1 end
      end
    end
  end
  return it
end

local function beyond(it, added)
  if #it.list + added > order_max then return {'many', order_max} end
  if person_max > 0 and added > 0 then
    local has = tonumber(redis.call('HGET', tally, account) or 0) - it.back
    if has + added > person_max then return {'person', person_max, has} end
  end
end

local function count_for(who, by)
  if redis.call('HINCRBY', tally, who, by) == 0 then redis.call('HDEL', tally, who) end
end

local function freed_letters(it)
  local letters = {}
  for seat in pairs(it.freed) do letters[seat] = 'F' end
  return letters
end

local function beyond_given(it, zones, fresh)
  for _, zone in ipairs(zones) do
    local wanted = 0
    for _, seat in ipairs(fresh) do
      if zone_of(zones, seat) == zone then wanted = wanted + 1 end
    end
    local room = wanted > 0 and left(zone, freed_letters(it)) or 0
    if wanted > room then return {'spent', room} end
  end
end

local function take(it, fresh, zones)
  local changed = freed_letters(it)
  for seat, who in pairs(it.freed) do
    redis.call('SETRANGE', seats, seat, 'F')
    redis.call('HDEL', holders, seat)
    count_for(who, -1)
  end
  for other in pairs(it.lapsed) do
    redis.call('HDEL', holds, other)
    redis.call('ZREM', expiring, other)
  end
  for _, seat in ipairs(fresh) do
    redis.call('SETRANGE', seats, seat, 'H')
    redis.call('HSET', holders, seat, order .. ':' .. account)
    it.list[#it.list + 1] = seat
    changed[seat] = 'H'
  end
  settle(zones, changed)
  local names = table.concat(it.list, ',')
  local pack = string.format('%s:%.0f:%.0f:b:%s', account, it.expires, it.latest, names)
  redis.call('HSET', holds, order, pack)
  redis.call('ZADD', expiring, it.expires, order)
  count_for(account, #fresh)
  redis.call('INCR', version)
  return pack
end
