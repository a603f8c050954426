-- Search over what is on and what is over. Millions of events share few texts (one film runs a
-- thousand evenings), so the words of each distinct text are indexed once, and an event names its text.

-- A text's words as search knows them: lower case, without ё, each once.
CREATE FUNCTION words_of(told text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(DISTINCT left(found[1], 100)), '{}')
    FROM regexp_matches(translate(lower(told), 'ё', 'е'), '\w+', 'g') AS found
$$;

-- A word's Russian stem; the word itself where the language's rules give none.
CREATE FUNCTION stem_of(word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce((ts_lexize('russian_stem', word))[1], word) $$;

CREATE TABLE wording (
    id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Of title and description; the text itself stands in its events.
    digest uuid NOT NULL UNIQUE,
    words  tsvector NOT NULL
);
CREATE INDEX wording_words ON wording USING gin (words) WITH (fastupdate = off);

-- Every word that any text has, under each of its endings, so that what stands inside a word is
-- found as the beginning of an ending: a range of this index.
CREATE TABLE word_part (
    part text COLLATE "C" NOT NULL,
    word text COLLATE "C" NOT NULL,
    PRIMARY KEY (part, word)
);
CREATE TABLE word (
    word text COLLATE "C" PRIMARY KEY,
    stem text COLLATE "C" NOT NULL
);
CREATE INDEX word_stem ON word (stem, word);

CREATE FUNCTION note_words() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    WITH fresh AS (
        INSERT INTO word (word, stem)
        SELECT DISTINCT told, stem_of(told)
        FROM made, unnest(tsvector_to_array(made.words)) AS told
        WHERE NOT EXISTS (SELECT FROM word WHERE word.word = told)
        ORDER BY told
        ON CONFLICT DO NOTHING
        RETURNING word
    )
    INSERT INTO word_part (part, word)
    SELECT substr(word, start), word FROM fresh, generate_series(2, length(word) - 1) AS start
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER wording_made AFTER INSERT ON wording
REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION note_words();

CREATE FUNCTION digest_of(title text, description text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT md5(title || E'\n' || description)::uuid $$;

-- The wording of a text, made where it is new.
CREATE FUNCTION wording_of(title text, description text) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    known integer;
BEGIN
    LOOP
        SELECT id INTO known FROM wording WHERE digest = digest_of(title, description);
        IF FOUND THEN RETURN known; END IF;
        INSERT INTO wording (digest, words)
        VALUES (digest_of(title, description),
                array_to_tsvector(words_of(title || ' ' || description)))
        ON CONFLICT (digest) DO NOTHING RETURNING id INTO known;
        IF FOUND THEN RETURN known; END IF;
    END LOOP;
END
$$;

ALTER TABLE event ADD COLUMN wording_id integer REFERENCES wording;
UPDATE event SET wording_id = wording_of(title, description);
ALTER TABLE event ALTER COLUMN wording_id SET NOT NULL;

CREATE FUNCTION word_event() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.wording_id := wording_of(NEW.title, NEW.description);
    RETURN NEW;
END
$$;
-- An import, which writes ten thousand at a time, names the wording itself.
CREATE TRIGGER event_made BEFORE INSERT ON event
FOR EACH ROW WHEN (NEW.wording_id IS NULL) EXECUTE FUNCTION word_event();
CREATE TRIGGER event_reworded BEFORE UPDATE OF title, description ON event
FOR EACH ROW EXECUTE FUNCTION word_event();

-- The newest of one text; the newest of all, and of one day, whatever the text.
CREATE INDEX event_wording ON event (wording_id, starts_at, id);
CREATE INDEX event_day_start ON event (local_day, starts_at, id);
DROP INDEX event_day;

-- Whoever keeps answers of the search in memory is told that they may have changed.
CREATE FUNCTION tell_catalogue() RETURNS trigger
LANGUAGE plpgsql
AS $$ BEGIN NOTIFY catalogue; RETURN NULL; END $$;
CREATE TRIGGER event_told AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON event
FOR EACH STATEMENT EXECUTE FUNCTION tell_catalogue();
