-- Chooses the best n free seats of a zone and holds them for an order, in one step, so that nobody
-- is refused because others chose the same: see parts/together.lua for what is best. Limits and
-- times are those of hold.
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
-- ARGV[2] now        (epoch ms)
-- ARGV[3] order      id
-- ARGV[4] account    id
-- ARGV[5] ttl        time to live (ms)
-- ARGV[6] order_max  places an order may hold
-- ARGV[7] person_max places an account may hold and own; 0: no limit
-- ARGV[8] channel    w site and API, b box office
-- ARGV[9] n          seats wanted
-- ARGV[10] has        seats the caller knows the order to hold; more of them: this was asked before.
--                    -1: ask again as often as you like
-- ARGV[11] first     index of the zone's first seat
-- ARGV[12...] rows   of the zone, front row first: "SIZExHOWMANY"
--
-- Returns:
--   stale                      the keys are of another epoch: refill and ask again
--   foreign                    the order's hold is another account's
--   frozen                     the order is being paid
--   many order_max             the order would hold too much
--   person person_max has      the account would hold and own too much
--   few free                   the zone has only so many free seats for us to sell
--   again pack                 the order holds more than the caller knows: nothing has changed
--   held pack fit              the hold, packed as in KEYS[4], the new seats last; how they stand
-- Changes: all keys but the epoch.

local epoch, seats, holders, holds = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expiring, tally, version, allotments = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local token, now, order, account = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local ttl, order_max, person_max = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local channel, n = ARGV[8], tonumber(ARGV[9])
local has, first = tonumber(ARGV[10]), tonumber(ARGV[11])
local FIRST_ROWS = 12
--@ patched
--@ allotments
--@ holding
--@ together

if redis.call('GET', epoch) ~= token then return {'stale'} end
local it = opened()
if it.no then return {it.no} end
if has >= 0 and #it.list > has then return {'again', it.pack} end
local too_much = beyond(it, n)
if too_much then return too_much end

local rows, last = {}, 0
for i = FIRST_ROWS, #ARGV do
  local size, times = string.match(ARGV[i], '^(%d+)x(%d+)$')
  for _ = 1, times do
    last = last + size
    rows[#rows + 1] = last
  end
end
local zones = given()
local back = freed_letters(it)
local letters = patched(redis.call('GETRANGE', seats, first, first + last - 1), first, back)
local ours = zone_of(zones, first)
if ours then
  local room = serves(ours, channel) and left(ours, back) or 0
  if n > room then return {'few', room} end
  letters = whole(ours, letters, room)
end
local found, fit = best(letters, rows, n)
if not found then return {'few', fit} end
local fresh = {}
for i, at in ipairs(found) do fresh[i] = string.format('%.0f', first + at - 1) end

return {'held', take(it, fresh, zones), fit}
