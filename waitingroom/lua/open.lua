-- A room comes into being with these settings. An existing room stays as it is.
-- KEYS[1] settings
-- ARGV[1..n] field, value, field, value, … of the settings
-- Returns: {exists} | {opened}
-- Changes: settings, if there were none.
local settings_key = KEYS[1]

if redis.call('EXISTS', settings_key) == 1 then return {'exists'} end

redis.call('HSET', settings_key, unpack(ARGV))
return {'opened'}
