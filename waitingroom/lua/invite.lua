-- Whether a subject stands in the lane of the invited, or may. An invitation is used by the first
-- subject that comes with it and by nobody else, and once they were let in it is spent. Staff need
-- none, nor does whoever stood in a lane before this one and has not had a place in this one yet. No
-- number is given here.
-- KEYS[1] settings
-- KEYS[2] invites
-- KEYS[3] places of the lane, the bucket of this subject
-- KEYS[4] done, of the lane
-- KEYS[5] leases
-- ARGV[1] generation
-- ARGV[2] subject
-- ARGV[3] name of the invitation; empty: there is none
-- ARGV[4] how long a used one is remembered, at least (s)
-- ARGV[5] now (ms)
-- ARGV[6] 1: staff
-- ARGV[7] 1: stood in an earlier lane
-- Returns: {unknown} | {generation, current} | {none} | {stands} | {used} | {spent} | {may}
-- Changes: invites; settings (laned: the generation in which the lane began).
local settings_key, invites_key, places_key, done_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local leases_key = KEYS[5]
local generation, subject, name = ARGV[1], ARGV[2], ARGV[3]
local remember_s, now_ms, is_staff = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
local is_back = ARGV[7] == '1'

local room = redis.call('HMGET', settings_key, 'generation', 'lottery')
if not room[1] then return {'unknown'} end
if room[1] ~= generation then return {'generation', room[1]} end
local lottery = tonumber(room[2]) or 0
local held = tonumber(redis.call('HGET', places_key, subject))
local lease_ms = tonumber(redis.call('ZSCORE', leases_key, subject))
local inside = lease_ms and lease_ms > now_ms
local used = held and redis.call('GETBIT', done_key, held) == 1
if held and (inside or not used) then return {'stands'} end
local holder = name ~= '' and redis.call('HGET', invites_key, name)
if not is_staff and not (is_back and not held) then
  if name == '' then return {'none'} end
  if holder and holder ~= subject then return {'used'} end
  if holder and used then return {'spent'} end
end
local ttl_s = redis.call('TTL', invites_key)

redis.call('HSET', settings_key, 'laned', lottery > 0 and room[2] or generation)
if name ~= '' and not holder then
  redis.call('HSET', invites_key, name, subject)
  if ttl_s < remember_s then redis.call('EXPIRE', invites_key, remember_s) end
end
return {'may'}
