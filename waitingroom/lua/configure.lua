-- Settings are replaced by newer ones, if nobody changed them meanwhile, and the change is noted.
-- KEYS[1] settings
-- KEYS[2] changes
-- ARGV[1] version the change was made to
-- ARGV[2] note of the change (JSON)
-- ARGV[3] notes kept, at most
-- ARGV[4..n] field, value, field, value, … of the new settings
-- Returns: {unknown} | {stale} | {changed}
-- Changes: settings; changes (newest first, bounded).
local settings_key, changes_key = KEYS[1], KEYS[2]
local version, note, notes_max = ARGV[1], ARGV[2], tonumber(ARGV[3])

local current = redis.call('HGET', settings_key, 'version')
if not current then return {'unknown'} end
if current ~= version then return {'stale'} end

redis.call('HSET', settings_key, unpack(ARGV, 4))
redis.call('LPUSH', changes_key, note)
redis.call('LTRIM', changes_key, 0, notes_max - 1)
return {'changed'}
