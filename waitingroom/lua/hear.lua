-- Somebody in front of whom the room stands tells how many requests came. Tellers add up. A second
-- that is told late counts where it was; what is too old counts nowhere.
-- KEYS[1] traffic
-- ARGV[1] name of the teller
-- ARGV[2] now (ms); 0: Redis's own clock
-- ARGV[3] how long told seconds are kept (s)
-- ARGV[4] life of all this unless somebody tells more (s)
-- ARGV[5..n] age of a second (s, 0 is this one), requests in it, age, requests, …
-- Returns: {heard}
-- Changes: traffic (seconds `c:<epoch s>`, tellers `t:<name>`).
local traffic_key = KEYS[1]
local teller, now_ms = ARGV[1], tonumber(ARGV[2])
local kept_s, life_s = tonumber(ARGV[3]), tonumber(ARGV[4])

if now_ms == 0 then
  local time = redis.call('TIME')
  now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
end
local now_s = math.floor(now_ms / 1000)

for i = 5, #ARGV, 2 do
  local age_s = tonumber(ARGV[i])
  if age_s >= 0 and age_s < kept_s then
    redis.call('HINCRBY', traffic_key, string.format('c:%d', now_s - age_s), ARGV[i + 1])
  end
end
redis.call('HSET', traffic_key, 't:' .. teller, string.format('%d', now_ms))
redis.call('EXPIRE', traffic_key, life_s)
return {'heard'}
