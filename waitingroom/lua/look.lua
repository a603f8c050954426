-- What has become of a number that was called. Reads only; asked for few, the rest is arithmetic.
-- KEYS[1] settings
-- KEYS[2] line
-- KEYS[3] places, the bucket of this subject
-- KEYS[4] done
-- KEYS[5] knocked
-- KEYS[6] leases
-- KEYS[7] called
-- ARGV[1] generation
-- ARGV[2] subject
-- ARGV[3] number
-- ARGV[4] now (ms)
-- Returns: {unknown} | {generation, current} | {gone} | {inside, lease end in ms} | {over} | {waiting} | {lapsed} | {passed} | {called}
-- Changes: nothing.
local settings_key, line_key, places_key, done_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local knocked_key, leases_key, called_key = KEYS[5], KEYS[6], KEYS[7]
local generation, subject = ARGV[1], ARGV[2]
local number, now_ms = tonumber(ARGV[3]), tonumber(ARGV[4])

local current = redis.call('HGET', settings_key, 'generation')
if not current then return {'unknown'} end
if current ~= generation then return {'generation', current} end
if tonumber(redis.call('HGET', places_key, subject)) ~= number then return {'gone'} end
local lease_ms = tonumber(redis.call('ZSCORE', leases_key, subject))
if lease_ms and lease_ms > now_ms then return {'inside', lease_ms} end
if redis.call('GETBIT', done_key, number) == 1 then return {'over'} end
local line = redis.call('HMGET', line_key, 'serving', 'lapsed')
local serving, lapsed = tonumber(line[1]) or 0, tonumber(line[2]) or 0
if number > serving then return {'waiting'} end
if number <= lapsed and redis.call('GETBIT', knocked_key, number) == 0 then return {'lapsed'} end
if redis.call('GETBIT', called_key, number) == 0 then return {'passed'} end
return {'called'}
