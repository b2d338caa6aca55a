-- Customers who were erased (ARCHITECTURE §7): what still arrives about them is stripped before it has any effect.
CREATE TABLE events.erased (
    tenant_id text NOT NULL,
    -- Resource name of a customer or a feedback.
    name      text NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

-- How far each part of an erasure has come here.
CREATE TABLE events.erasure (
    tenant_id     text     NOT NULL,
    erasure       uuid     NOT NULL,
    part          integer  NOT NULL,
    -- 0 the room, 1 events without a position, 2 events with one, 3 done.
    phase         smallint NOT NULL,
    -- How far phase 1 and 2 have come.
    partition     smallint NOT NULL DEFAULT 0,
    position      bigint   NOT NULL DEFAULT 0,
    counts        jsonb    NOT NULL DEFAULT '{}',
    complete_time timestamptz,
    PRIMARY KEY (tenant_id, erasure, part)
);

ALTER TABLE events.erased ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.erased FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events.erased TO huiyin_app
    USING (tenant_id = current_setting('huiyin.tenant', true))
    WITH CHECK (tenant_id = current_setting('huiyin.tenant', true));
CREATE POLICY worker ON events.erased FOR SELECT TO huiyin_worker USING (true);
ALTER TABLE events.erasure ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.erasure FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON events.erasure TO huiyin_app
    USING (tenant_id = current_setting('huiyin.tenant', true))
    WITH CHECK (tenant_id = current_setting('huiyin.tenant', true));
GRANT SELECT, INSERT ON events.erased TO huiyin_app;
GRANT SELECT ON events.erased TO huiyin_worker;
GRANT SELECT, INSERT, UPDATE ON events.erasure TO huiyin_app;

-- Which of these names are erased. Whoever asks holds a shared lock until its transaction ends, and whoever erases takes it alone
-- for a moment: so no effect that had not seen the name erased is still under way when its rows are blanked. A function, because
-- the second statement must see what was committed while the first waited.
CREATE FUNCTION events.erased_among(of_tenants text[], of_names text[]) RETURNS TABLE (tenant_id text, name text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('events.erased', 0));
    RETURN QUERY
        SELECT e.tenant_id, e.name
        FROM (SELECT DISTINCT * FROM unnest(of_tenants, of_names) AS u (of_tenant, of_name)) AS w
        CROSS JOIN LATERAL (
            SELECT found.tenant_id, found.name FROM events.erased AS found
            WHERE found.tenant_id = w.of_tenant AND found.name = w.of_name
            LIMIT 1 -- one probe of the key each
        ) AS e;
END
$$;
GRANT EXECUTE ON FUNCTION events.erased_among(text[], text[]) TO huiyin_app, huiyin_worker;
