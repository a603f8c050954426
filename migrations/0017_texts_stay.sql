-- Each event of an import was asked one by one whether its text exists: a quarter of the time six
-- million take. Whoever writes an event names its text in the same statement (wording_of, and the
-- import's join), and texts are never deleted: that is kept here, once, where it costs nothing.
ALTER TABLE event DROP CONSTRAINT event_wording_id_fkey;

CREATE FUNCTION keep_texts() RETURNS trigger
LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'texts are never deleted: events name them'; END $$;
CREATE TRIGGER wording_kept BEFORE DELETE OR TRUNCATE ON wording
FOR EACH STATEMENT EXECUTE FUNCTION keep_texts();

-- A text that stays the same needs no new name.
DROP TRIGGER event_reworded ON event;
CREATE TRIGGER event_reworded BEFORE UPDATE OF title, description ON event
FOR EACH ROW WHEN (OLD.title <> NEW.title OR OLD.description <> NEW.description)
EXECUTE FUNCTION word_event();
