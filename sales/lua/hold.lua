-- Holds seats for an order, all of them or none. Afterwards every seat asked for is this order's,
-- its account is within the limits, and the hold ends a full time to live from now, but never
-- later than two of them after its first seat. Holds that are over count for nothing: the oldest
-- of them are let go on the way. Asking for seats the order already holds changes nothing.
--
-- KEYS[1] epoch      what these keys were filled from
-- KEYS[2] seats      string, one byte a seat: F free, H held, S sold
-- KEYS[3] holders    hash seat -> "order:account"
-- KEYS[4] holds      hash order -> "account:expires:latest:mode:seat,seat,..." (epoch ms; mode b or f)
-- KEYS[5] expiring   sorted set order -> expires (epoch ms)
-- KEYS[6] tally      hash account -> places held and owned
-- KEYS[7] version    integer
--
-- ARGV[1] token      must equal KEYS[1]
-- ARGV[2] now        (epoch ms)
-- ARGV[3] order      id
-- ARGV[4] account    id
-- ARGV[5] ttl        time to live (ms)
-- ARGV[6] order_max  places an order may hold
-- ARGV[7] person_max places an account may hold and own; 0: no limit
-- ARGV[8...] seats   indices, distinct
--
-- Returns:
--   stale                      the keys are of another epoch: refill and ask again
--   foreign                    the order's hold is another account's
--   frozen                     the order is being paid
--   unknown seat               there is no such seat
--   many order_max             the order would hold too much
--   person person_max has      the account would hold and own too much
--   taken seat...              these are held or sold
--   again pack                 the order held all of them already: nothing has changed
--   held pack                  the hold, packed as in KEYS[4]
-- Changes: all keys but the epoch.

local epoch, seats, holders, holds = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local expiring, tally, version = KEYS[5], KEYS[6], KEYS[7]
local token, now, order, account = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local ttl, order_max, person_max = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local FIRST_SEAT = 8
--@ holding

if redis.call('GET', epoch) ~= token then return {'stale'} end
local it = opened()
if it.no then return {it.no} end

local fresh, taken = {}, {}
for i = FIRST_SEAT, #ARGV do
  local seat = ARGV[i]
  if not it.mine[seat] then
    local state = redis.call('GETRANGE', seats, seat, seat)
    if state == '' then return {'unknown', seat} end
    if state == 'F' or it.freed[seat] then fresh[#fresh + 1] = seat else taken[#taken + 1] = seat end
  end
end
local too_much = beyond(it, #fresh + #taken)
if too_much then return too_much end
if #taken > 0 then return {'taken', unpack(taken)} end
if #fresh == 0 then return {'again', it.pack} end

return {'held', take(it, fresh)}
