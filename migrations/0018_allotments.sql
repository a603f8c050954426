-- What the owner of a hall has given us of its zones, and what we told him at the end (ADR 32). Of an
-- event whose ownership is 'allotment' nothing else may be sold: a zone without a row is not ours.

CREATE TABLE allotment (
    event_id   bigint NOT NULL,
    zone_no    smallint NOT NULL,
    -- Who may sell it: the site with its API, the box office, other sellers; or any of them.
    channel    text NOT NULL CHECK (channel IN ('any', 'web', 'box_office', 'partner')),
    -- How many places of the zone; where they are listed, as many as are listed.
    places     integer NOT NULL CHECK (places > 0),
    -- Which places, ascending; NULL: whichever of the zone.
    seats      integer[] CHECK (cardinality(seats) = places),
    -- When what is unsold goes back to the owner.
    deadline   timestamptz NOT NULL,
    -- closing: nothing new is held, but holds that were made before may be paid.
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closing', 'closed')),
    version    integer NOT NULL DEFAULT 1,
    given_at   timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (event_id, zone_no),
    FOREIGN KEY (event_id, zone_no) REFERENCES zone ON DELETE CASCADE
);
CREATE INDEX allotment_unfinished ON allotment (deadline) WHERE state <> 'closed';

-- What became of an allotment: written once, when it is closed, and never changed.
CREATE TABLE allotment_report (
    event_id    bigint NOT NULL,
    zone_no     smallint NOT NULL,
    given       integer NOT NULL,
    sold        integer NOT NULL,
    returned    integer NOT NULL CHECK (returned = given - sold),
    -- In tiyn, of the sold places, as they were paid.
    revenue     bigint NOT NULL CHECK (revenue >= 0),
    deadline    timestamptz NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (event_id, zone_no),
    FOREIGN KEY (event_id, zone_no) REFERENCES allotment ON DELETE CASCADE
);

-- Events that were laid out before: their halls have only the rows that were given to us.
INSERT INTO allotment (event_id, zone_no, channel, places, deadline, given_at, updated_at)
SELECT event.id, zone.zone_no, 'any', zone.seat_count, event.starts_at - interval '2 days', now(),
       now()
FROM event JOIN zone ON zone.event_id = event.id
WHERE event.ownership = 'allotment';
