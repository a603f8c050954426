-- Which free seats of a zone go best together, as positions from 1 in the zone's string. Rows near
-- the stage first, in a row the middle; a choice that leaves a single free seat between two others
-- is made only where none better is near. `zone` is one byte a seat (F free), `rows` the position
-- of each row's last seat, `n` how many are wanted.
--
-- Returns:
--   best(zone, rows, n) positions, fit   fit is together, orphan (together, but leaving one alone),
--                                        rows (in two neighbouring rows) or apart
--   best(zone, rows, n) nil, free        not so many are free, only this many
-- Changes: nothing.

-- Rows looked at for a choice that leaves nobody alone, once a lesser one is found. Bounds the time.
local ROWS_MAX = 40

-- Where n seats begin in the free run from..till, nearest to the middle; nil where `clean` is asked
-- for and any choice would leave a single seat.
local function placed(from, till, n, middle, clean)
  local best, far
  local ideal = math.max(from, math.min(till - n + 1, math.floor(middle - (n - 1) / 2 + 0.5)))
  for at = math.max(from, ideal - 2), math.min(till - n + 1, ideal + 2) do
    if not clean or (at - from ~= 1 and till - at - n ~= 0) then
      local off = math.abs(at + (n - 1) / 2 - middle)
      if not best or off < far then best, far = at, off end
    end
  end
  return best, far
end

local function middle_of(rows, r)
  return ((rows[r - 1] or 0) + 1 + rows[r]) / 2
end

local function in_row(zone, rows, r, n, middle, clean)
  local first = (rows[r - 1] or 0) + 1
  local row = string.sub(zone, first, rows[r])
  local best, far
  local from, till = string.find(row, 'F+')
  while from do
    if till - from + 1 >= n then
      local at, off = placed(from, till, n, middle - first + 1, clean)
      if at and (not best or off < far) then best, far = at, off end
    end
    from, till = string.find(row, 'F+', till + 1)
  end
  return best and best + first - 1
end

-- The next row, from row r on, that has n free seats together.
local function next_row(zone, rows, r, n)
  local run, at = string.rep('F', n), (rows[r - 1] or 0) + 1
  while true do
    at = string.find(zone, run, at, true)
    if not at then return nil end
    while rows[r] < at do r = r + 1 end
    if at + n - 1 <= rows[r] then return r end
    at = rows[r] + 1
  end
end

local function span(from, n, list)
  for at = from, from + n - 1 do list[#list + 1] = at end
  return list
end

local function in_one(zone, rows, n)
  local lesser
  local r, looked = next_row(zone, rows, 1, n), 0
  while r and looked < ROWS_MAX do
    local middle = middle_of(rows, r)
    local at = in_row(zone, rows, r, n, middle, true)
    if at then return span(at, n, {}), 'together' end
    lesser = lesser or in_row(zone, rows, r, n, middle, false)
    looked = looked + 1
    r = rows[r + 1] and next_row(zone, rows, r + 1, n)
  end
  if lesser then return span(lesser, n, {}), 'orphan' end
end

-- As equal halves as there are, one before the other.
local function in_two(zone, rows, n)
  local half = math.ceil(n / 2)
  local r = next_row(zone, rows, 1, half)
  while r do
    for more = half, n - 1 do
      local at = in_row(zone, rows, r, more, middle_of(rows, r), false)
      if not at then break end
      local off = at + (more - 1) / 2 - middle_of(rows, r)
      for other = r + 1, r - 1, -2 do
        local there = rows[other] and in_row(zone, rows, other, n - more, middle_of(rows, other) + off, false)
        if there then return span(there, n - more, span(at, more, {})), 'rows' end
      end
    end
    r = rows[r + 1] and next_row(zone, rows, r + 1, half)
  end
end

local function best(zone, rows, n)
  local found, fit = in_one(zone, rows, n)
  if not found and n > 1 then found, fit = in_two(zone, rows, n) end
  if found then return found, fit end
  local scattered, at = {}, string.find(zone, 'F', 1, true)
  while at and #scattered < n do
    scattered[#scattered + 1] = at
    at = string.find(zone, 'F', at + 1, true)
  end
  if #scattered < n then return nil, #scattered end
  return scattered, 'apart'
end
