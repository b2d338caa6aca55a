-- The outbox and the log become two tables: what was written waits in the outbox, and moves into the log with its position. As one
-- table each event was indexed under no position first and then again, and the relay stepped over what it had done before: that cost
-- more than writing it.

ALTER TABLE events.outbox RENAME TO entry;
-- Until the end: whoever migrates owns the table, need not be a superuser, and has to see every row.
ALTER TABLE events.entry NO FORCE ROW LEVEL SECURITY;
DO $$
DECLARE
    part text;
BEGIN
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'events.entry'::regclass
    LOOP
        EXECUTE format('ALTER TABLE events.%I RENAME TO %I', part, replace(part, 'outbox', 'entry'));
    END LOOP;
END
$$;
ALTER INDEX events.outbox_position RENAME TO entry_position;

CREATE TABLE events.outbox (
    id        bigint   PRIMARY KEY DEFAULT nextval('events.outbox_id'),
    tenant_id text     NOT NULL,
    partition smallint NOT NULL,
    event     bytea    NOT NULL
);
INSERT INTO events.outbox SELECT id, tenant_id, partition, event FROM events.entry WHERE position IS NULL;
DELETE FROM events.entry WHERE position IS NULL;
DROP INDEX events.outbox_unpositioned;
ALTER TABLE events.entry ALTER id DROP DEFAULT, ALTER create_day DROP DEFAULT, ALTER position SET NOT NULL;

-- A day is a stretch of positions, so that dropping one leaves no hole: an event belongs to the day on which it got its position, and
-- no partition goes back to a day before.
ALTER TABLE events.head ADD day date NOT NULL DEFAULT '-infinity';
UPDATE events.entry AS late
SET create_day = first.day
FROM (
    SELECT partition, position, max(create_day) OVER (PARTITION BY partition ORDER BY position) AS day FROM events.entry
) AS first
WHERE late.partition = first.partition AND late.position = first.position AND late.create_day < first.day;

-- Days after today, made ahead of time; old days dropped whole.
CREATE OR REPLACE FUNCTION events.keep_days(kept integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
-- Both need the table for themselves for a moment: rather later than behind a long transaction with all readers waiting.
SET lock_timeout = '2s' AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    day date;
    old text;
BEGIN
    FOR day IN SELECT generate_series(today, today + 2, interval '1 day')::date LOOP
        IF to_regclass(format('events.entry_%s', to_char(day, 'YYYYMMDD'))) IS NULL
           AND NOT EXISTS (SELECT FROM events.entry_other WHERE create_day = day) THEN
            EXECUTE format(
                'CREATE TABLE events.%I PARTITION OF events.entry FOR VALUES FROM (%L) TO (%L)',
                'entry_' || to_char(day, 'YYYYMMDD'), day, day + 1);
        END IF;
    END LOOP;
    FOR old IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'events.entry'::regclass
          AND c.relname ~ '^entry_[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < today - kept
    LOOP
        EXECUTE format('DROP TABLE events.%I', old);
    END LOOP;
    DELETE FROM events.entry_other WHERE create_day < today - kept;
END
$$;

ALTER TABLE events.entry FORCE ROW LEVEL SECURITY;
ALTER TABLE events.outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events.outbox TO huiyin_app
    USING (tenant_id = current_setting('huiyin.tenant', true))
    WITH CHECK (tenant_id = current_setting('huiyin.tenant', true));
CREATE POLICY worker ON events.outbox TO huiyin_worker USING (true) WITH CHECK (true);
REVOKE INSERT ON events.entry FROM huiyin_app;
GRANT INSERT ON events.outbox TO huiyin_app;
GRANT INSERT ON events.entry TO huiyin_worker;
GRANT SELECT, UPDATE, DELETE ON events.outbox TO huiyin_worker;
