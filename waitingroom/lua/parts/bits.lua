-- How many bits are set from one number to another. Redis 6.2 counts whole bytes only.
--
-- Returns: count_bits(key, first, last) the number of bits set, both ends counted
-- Changes: nothing.

local function count_bits(key, first, last)
  local count = 0
  while first <= last and first % 8 ~= 0 do
    count, first = count + redis.call('GETBIT', key, first), first + 1
  end
  while last >= first and last % 8 ~= 7 do
    count, last = count + redis.call('GETBIT', key, last), last - 1
  end
  if first > last then return count end
  return count + redis.call('BITCOUNT', key, (first - first % 8) / 8, (last - 7) / 8)
end
