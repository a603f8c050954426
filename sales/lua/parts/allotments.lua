-- What the owner of a hall has given us of its zones, for commands that change who has a seat: first
-- `given`, then whatever the command does, then `settle`. Uses the locals seats and allotments
-- (keys); allotments is nil where all seats are ours: nothing is read then. In a zone that was given
-- to us a free seat is F only while anybody may take it on the site; all others are X, so that
-- whoever reads the seats sees the truth. Who holds or owns one keeps it, whatever was given.
--
-- Returns:
--   given() zones                         first, last, places, channel, spans, and letters as they stand
--   zone_of(zones, seat) zone             where the seat stands; nothing where all seats are ours
--   offers(zone, seat, channel) boolean   the seat was given to us for this channel
--   left(zone, changed) number            how many more may be taken once `changed` is so
--   whole(zone, letters, left) letters    F and X as they should be, with so many left
--   settle(zones, changed)                `changed` (seat -> letter) is written: the rest of their zones
--                                         follows; of all zones where nothing is named
-- Changes: seats, in `settle` alone.

local GIVEN = '(%d+):(%d+):(%d+):(%a):([%d,-]*);'
-- Who buys on the site and by its API.
local PUBLIC = 'w'

local function given()
  local zones = {}
  if not allotments then return zones end
  for first, last, places, channel, spans in string.gmatch(redis.call('GET', allotments) or '', GIVEN) do
    local letters = redis.call('GETRANGE', seats, first, last)
    zones[#zones + 1] = {first = tonumber(first), last = tonumber(last), places = tonumber(places),
      channel = channel, spans = spans, letters = letters}
  end
  return zones
end

local function zone_of(zones, seat)
  for _, zone in ipairs(zones) do
    if tonumber(seat) >= zone.first and tonumber(seat) <= zone.last then return zone end
  end
end

local function serves(zone, channel)
  return zone.channel == 'a' or zone.channel == channel
end

local function offers(zone, seat, channel)
  if not serves(zone, channel) then return false end
  for from, till in string.gmatch(zone.spans, '(%d+)-(%d+)') do
    if tonumber(seat) >= tonumber(from) and tonumber(seat) <= tonumber(till) then return true end
  end
  return false
end

local function taken_in(letters)
  local _, count = string.gsub(letters, '[HS]', '')
  return count
end

local function left(zone, changed)
  return math.max(0, zone.places - taken_in(patched(zone.letters, zone.first, changed)))
end

-- Looking for a letter costs a hundredth of looking at each.
local function all(letters, was, is)
  if not string.find(letters, was, 1, true) then return letters end
  return (string.gsub(letters, was, is))
end

local function whole(zone, letters, room)
  local pieces, done = {}, 0
  for from, till in string.gmatch(zone.spans, '(%d+)-(%d+)') do
    local before = string.sub(letters, done + 1, from - zone.first)
    local inside = string.sub(letters, from - zone.first + 1, till - zone.first + 1)
    pieces[#pieces + 1] = all(before, 'F', 'X')
    pieces[#pieces + 1] = room > 0 and all(inside, 'X', 'F') or all(inside, 'F', 'X')
    done = till - zone.first + 1
  end
  pieces[#pieces + 1] = all(string.sub(letters, done + 1), 'F', 'X')
  return table.concat(pieces)
end

local function settle(zones, changed)
  for _, zone in ipairs(zones) do
    local letters = patched(zone.letters, zone.first, changed)
    if letters ~= zone.letters or not next(changed) then
      local room = serves(zone, PUBLIC) and zone.places - taken_in(letters) or 0
      local right = whole(zone, letters, room)
      if right ~= letters then redis.call('SETRANGE', seats, zone.first, right) end
    end
  end
end
