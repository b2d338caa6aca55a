-- The event log of this service, and how far it has come with the logs of others (ARCHITECTURE §3).

GRANT USAGE ON SCHEMA events TO huiyin_app, huiyin_worker;

-- Tells a log that was restored from a backup from its older self: whoever restores gives it a new epoch.
CREATE TABLE events.log (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO events.log DEFAULT VALUES;

-- What happened, in the order in which it was written. The relay gives each row its position afterwards: the missing
-- position says what is still to do, so a late commit is only late, never lost.
CREATE SEQUENCE events.outbox_id;
CREATE TABLE events.outbox (
    id         bigint   NOT NULL DEFAULT nextval('events.outbox_id'),
    create_day date     NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    tenant_id  text     NOT NULL,
    partition  smallint NOT NULL,
    position   bigint,
    event      bytea    NOT NULL
) PARTITION BY RANGE (create_day);
CREATE TABLE events.outbox_other PARTITION OF events.outbox DEFAULT;
CREATE INDEX outbox_unpositioned ON events.outbox (id) WHERE position IS NULL;
CREATE INDEX outbox_position ON events.outbox (partition, position);

-- The last position given in each partition.
CREATE TABLE events.head (
    partition smallint PRIMARY KEY,
    position  bigint NOT NULL DEFAULT 0
);
INSERT INTO events.head (partition) SELECT generate_series(0, 7);

-- How far this service has come with each log that it consumes: moved in the transaction of the effect.
CREATE TABLE events.cursor (
    source    text     NOT NULL,
    epoch     text     NOT NULL,
    partition smallint NOT NULL,
    position  bigint   NOT NULL DEFAULT 0,
    -- Tells the present epoch from older ones.
    create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, epoch, partition)
);

-- Events whose effect failed, and those of the same subject that wait behind them.
CREATE TABLE events.dead_letter (
    -- In the order in which they were set aside, which is the order per subject, also over epochs.
    id                bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    source            text        NOT NULL,
    epoch             text        NOT NULL,
    partition         smallint    NOT NULL,
    position          bigint      NOT NULL,
    tenant_id         text        NOT NULL,
    subject           text        NOT NULL,
    event             bytea       NOT NULL,
    attempts          integer     NOT NULL,
    error             text        NOT NULL,
    -- Missing: due at once where nothing was tried yet, parked for a person otherwise.
    next_attempt_time timestamptz,
    PRIMARY KEY (source, epoch, partition, position)
);
CREATE INDEX dead_letter_subject ON events.dead_letter (source, tenant_id, subject, id);

-- Days after today, made ahead of time; old days dropped whole, oldest first, up to the first that has a row without a
-- position. The relay's sweep sees to it that what is dropped comes before all that is kept.
CREATE FUNCTION events.keep_days(kept integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
-- Both need the table for themselves for a moment: rather later than behind a long transaction with all writers waiting.
SET lock_timeout = '2s' AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    day date;
    old record;
    unread boolean;
BEGIN
    FOR day IN SELECT generate_series(today, today + 2, interval '1 day')::date LOOP
        IF to_regclass(format('events.outbox_%s', to_char(day, 'YYYYMMDD'))) IS NULL
           AND NOT EXISTS (SELECT FROM events.outbox_other WHERE create_day = day) THEN
            EXECUTE format(
                'CREATE TABLE events.%I PARTITION OF events.outbox FOR VALUES FROM (%L) TO (%L)',
                'outbox_' || to_char(day, 'YYYYMMDD'), day, day + 1);
        END IF;
    END LOOP;
    FOR old IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'events.outbox'::regclass
          AND c.relname ~ '^outbox_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - kept
        ORDER BY c.relname
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM events.%I WHERE position IS NULL)', old.relname) INTO unread;
        IF unread THEN
            RETURN;
        END IF;
        EXECUTE format('DROP TABLE events.%I', old.relname);
    END LOOP;
    DELETE FROM events.outbox_other WHERE create_day < today - kept AND position IS NOT NULL;
END
$$;
SELECT events.keep_days(7);

ALTER TABLE events.outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events.outbox TO huiyin_app
    USING (tenant_id = current_setting('huiyin.tenant', true))
    WITH CHECK (tenant_id = current_setting('huiyin.tenant', true));
CREATE POLICY worker ON events.outbox TO huiyin_worker USING (true) WITH CHECK (true);
ALTER TABLE events.dead_letter ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.dead_letter FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events.dead_letter TO huiyin_app
    USING (tenant_id = current_setting('huiyin.tenant', true))
    WITH CHECK (tenant_id = current_setting('huiyin.tenant', true));
CREATE POLICY worker ON events.dead_letter TO huiyin_worker USING (true) WITH CHECK (true);

GRANT INSERT ON events.outbox TO huiyin_app;
GRANT USAGE ON SEQUENCE events.outbox_id TO huiyin_app;
GRANT SELECT, UPDATE ON events.outbox, events.head TO huiyin_worker;
GRANT SELECT ON events.log TO huiyin_worker, huiyin_app;
GRANT SELECT, INSERT, UPDATE ON events.cursor TO huiyin_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON events.dead_letter TO huiyin_worker;
GRANT SELECT, UPDATE ON events.dead_letter TO huiyin_app;
REVOKE EXECUTE ON FUNCTION events.keep_days(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION events.keep_days(integer) TO huiyin_worker;
