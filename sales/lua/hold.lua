-- Holds seats for an order, all of them or none. Afterwards every seat asked for is this order's,
-- its account is within the limits, and the hold ends a full time to live from now, but never
-- later than two of them after its first seat; no zone has more taken than was given to us. Holds that are over count for nothing: the oldest
-- of them are let go on the way. Asking for seats the order already holds changes nothing.
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
-- ARGV[9...] seats   indices, distinct
--
-- Returns:
--   stale                      the keys are of another epoch: refill and ask again
--   foreign                    the order's hold is another account's
--   frozen                     the order is being paid
--   unknown seat               there is no such seat
--   outside seat...            these were not given to us, or not for this channel, or no longer
--   many order_max             the order would hold too much
--   person person_max has      the account would hold and own too much
--   taken seat...              these are held or sold
--   spent left                 of what was given in a zone only so much is left
--   again pack                 the order held all of them already: nothing has changed
--   held pack                  the hold, packed as in KEYS[4]
-- Changes: all keys but the epoch.

local epoch, seats, holders, holds = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expiring, tally, version, allotments = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local token, now, order, account = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local ttl, order_max, person_max = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local channel, FIRST_SEAT = ARGV[8], 9
--@ patched
--@ allotments
--@ holding

if redis.call('GET', epoch) ~= token then return {'stale'} end
local it = opened()
if it.no then return {it.no} end

local zones = given()
local fresh, taken, outside = {}, {}, {}
for i = FIRST_SEAT, #ARGV do
  local seat = ARGV[i]
  if not it.mine[seat] then
    local state = redis.call('GETRANGE', seats, seat, seat)
    if state == '' then return {'unknown', seat} end
    local zone = zone_of(zones, seat)
    if zone and not offers(zone, seat, channel) then
      outside[#outside + 1] = seat
    elseif state == 'F' or it.freed[seat] or (zone and state == 'X') then
      fresh[#fresh + 1] = seat
    else
      taken[#taken + 1] = seat
    end
  end
end
if #outside > 0 then return {'outside', unpack(outside)} end
local too_much = beyond(it, #fresh + #taken)
if too_much then return too_much end
if #taken > 0 then return {'taken', unpack(taken)} end
if #fresh == 0 then return {'again', it.pack} end

local short = beyond_given(it, zones, fresh)
if short then return short end

return {'held', take(it, fresh, zones)}
