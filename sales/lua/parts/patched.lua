-- Letters of seats with some of them changed; `changed` is seat -> letter, `first` the seat that the
-- letters begin with. Seats that stand elsewhere are passed over.
--
-- Returns:
--   patched(letters, first, changed) letters
-- Changes: nothing.

local function patched(letters, first, changed)
  -- Strings cannot be written into, so cut and join.
  local there, pieces, done = {}, {}, 0
  for seat, letter in pairs(changed) do
    local at = seat - first + 1
    if at >= 1 and at <= #letters then there[#there + 1] = {at, letter} end
  end
  if #there == 0 then return letters end
  table.sort(there, function(a, b) return a[1] < b[1] end)
  for _, one in ipairs(there) do
    pieces[#pieces + 1] = string.sub(letters, done + 1, one[1] - 1) .. one[2]
    done = one[1]
  end
  return table.concat(pieces) .. string.sub(letters, done + 1)
end
