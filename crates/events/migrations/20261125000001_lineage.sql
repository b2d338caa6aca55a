-- A log whose database was restored from a backup has lost its newest events, and gives their positions to others. So it goes on under
-- a new epoch, and remembers up to where it is the same log as before: a consumer that had come no further goes on where it was.

CREATE TABLE events.ancestor (
    epoch       uuid        NOT NULL,
    partition   smallint    NOT NULL,
    -- The last that the log shares with the one of that epoch.
    position    bigint      NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (epoch, partition)
);

-- Events of others that had their effects here and that their source has lost: all after the one position, up to the other.
CREATE TABLE events.lost (
    source      text        NOT NULL,
    epoch       text        NOT NULL,
    partition   smallint    NOT NULL,
    after       bigint      NOT NULL,
    until       bigint      NOT NULL,
    notice_time timestamptz NOT NULL,
    PRIMARY KEY (source, epoch, partition)
);

-- Where the log was when a service last looked; see events.come_home. Missing: none has looked yet.
ALTER TABLE events.log ADD COLUMN home text;

-- Has the log go on under a new epoch. No service of this database may be running.
CREATE FUNCTION events.begin_epoch() RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    INSERT INTO events.ancestor (epoch, partition, position)
    SELECT log.epoch, head.partition, head.position FROM events.log CROSS JOIN events.head;
    UPDATE events.log SET epoch = gen_random_uuid() RETURNING epoch;
$$;
REVOKE EXECUTE ON FUNCTION events.begin_epoch() FROM PUBLIC;

-- The epoch of the log, a new one where its home is another: the server, its timeline, the database, or the file of the table. One of
-- them changes with every restore of a dump, every recovery to a point in time, and every failover, which may lose commits, too. A new
-- epoch where nothing was lost costs nothing.
CREATE FUNCTION events.come_home() RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    here text := format('%s/%s/%s/%s',
        (SELECT system_identifier FROM pg_control_system()),
        left(pg_walfile_name(pg_current_wal_lsn()), 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        pg_relation_filenode('events.log'));
    log events.log;
BEGIN
    SELECT * INTO log FROM events.log FOR UPDATE;
    IF log.home IS NOT DISTINCT FROM here THEN
        RETURN log.epoch;
    END IF;
    UPDATE events.log SET home = here;
    RETURN CASE WHEN log.home IS NULL THEN log.epoch ELSE events.begin_epoch() END;
END
$$;
REVOKE EXECUTE ON FUNCTION events.come_home() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION events.come_home() TO huiyin_worker;
GRANT SELECT ON events.ancestor TO huiyin_worker;
GRANT SELECT, INSERT ON events.lost TO huiyin_worker;
GRANT DELETE ON events.cursor TO huiyin_worker;
