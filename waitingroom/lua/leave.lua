-- A visitor gives the place up: the number is never called, and a new join gets a new one.
-- Whoever was let in is not outside because they say so: their lease ends when sales say so, for
-- their pass opens the door as long as it is good.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] places, the bucket of this subject
-- KEYS[4] done
-- KEYS[5] left
-- KEYS[6] live, this window
-- KEYS[7] live, the next window
-- KEYS[8] leases
-- ARGV[1] generation
-- ARGV[2] subject
-- ARGV[3] number
-- ARGV[4] now (ms)
-- Returns: {unknown} | {generation, current} | {gone} | {inside} | {over} | {left}
-- Changes: places, done, left (if not yet called), both live windows.
local settings_key, line_key, places_key, done_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local left_key, live_key, live_next_key, leases_key = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local generation, subject = ARGV[1], ARGV[2]
local number, now_ms = tonumber(ARGV[3]), tonumber(ARGV[4])

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
if tonumber(redis.call('HGET', places_key, subject)) ~= number then return {'gone'} end
local lease_ms = tonumber(redis.call('ZSCORE', leases_key, subject))
if lease_ms and lease_ms > now_ms then return {'inside'} end
if redis.call('GETBIT', done_key, number) == 1 then return {'over'} end
local serving = tonumber(redis.call('HGET', line_key, 'serving')) or 0

redis.call('HDEL', places_key, subject)
redis.call('SETBIT', done_key, number, 1)
redis.call('SETBIT', live_key, number, 0)
redis.call('SETBIT', live_next_key, number, 0)
if number > serving then redis.call('RPUSH', left_key, number) end
return {'left'}
