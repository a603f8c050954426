-- Settings are replaced by newer ones, if nobody changed them meanwhile, and the change is noted.
-- KEYS[1] settings
-- KEYS[2] changes
-- KEYS[3] line
-- ARGV[1] version the change was made to
-- ARGV[2] note of the change (JSON)
-- ARGV[3] notes kept, at most
-- ARGV[4] 1: nobody may have a number yet
-- ARGV[5..n] field, value, field, value, … of the new settings
-- Returns: {unknown} | {stale} | {started} | {changed}
-- Changes: settings; changes (newest first, bounded).
local settings_key, changes_key, line_key = KEYS[1], KEYS[2], KEYS[3]
local version, note, notes_max, empty = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'

local current = redis.call('HGET', settings_key, 'version')
if not current then return {'unknown'} end
if current ~= version then return {'stale'} end
if empty and (tonumber(redis.call('HGET', line_key, 'issued')) or 0) > 0 then return {'started'} end

redis.call('HSET', settings_key, unpack(ARGV, 5))
redis.call('LPUSH', changes_key, note)
redis.call('LTRIM', changes_key, 0, notes_max - 1)
return {'changed'}
