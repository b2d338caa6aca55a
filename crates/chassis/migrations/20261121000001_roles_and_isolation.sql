-- What keeps two tenants apart: two roles that own nothing, and row-level security that even an owner cannot skip.
--
-- huiyin_app     does the work of one tenant. It sees rows of the tenant in the setting `huiyin.tenant` and no other.
-- huiyin_worker  takes work for all tenants: event logs, cursors, timers. It sees those tables and no others.
--
-- Roles belong to the whole server, and six services may be starting at once: whoever is second finds them there.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['huiyin_app', 'huiyin_worker'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
            BEGIN
                EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
            EXCEPTION WHEN unique_violation OR internal_error THEN -- "tuple concurrently updated"
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public, chassis TO huiyin_app, huiyin_worker;

-- Every table of the room, now and later: whole rows for the app, nothing for the worker.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO huiyin_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO huiyin_app;

-- Puts every table of the room behind row-level security, and refuses one that does not say whose its rows are.
-- The chassis calls it after the room's migrations, so that a new table cannot be forgotten.
CREATE FUNCTION chassis.isolate_tenants() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.oid, c.relname,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS has_tenant
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace
          AND c.relkind IN ('r', 'p')
          AND c.relname <> '_sqlx_migrations'
    LOOP
        IF NOT found.has_tenant THEN
            RAISE EXCEPTION 'table % has no column tenant_id: whose are its rows?', found.relname;
        END IF;
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', found.relname);
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', found.relname);
        IF NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = found.oid AND p.polname = 'tenant') THEN
            EXECUTE format(
                'CREATE POLICY tenant ON public.%I TO huiyin_app
                 USING (tenant_id = current_setting(''huiyin.tenant'', true))
                 WITH CHECK (tenant_id = current_setting(''huiyin.tenant'', true))',
                found.relname
            );
        END IF;
    END LOOP;
END
$$;

-- Answers that were given to requests with an id, so that the same request gets the same answer (AIP-155).
CREATE TABLE chassis.answered_request (
    tenant_id   text        NOT NULL,
    caller      text        NOT NULL,
    method      text        NOT NULL,
    request_id  uuid        NOT NULL,
    body_hash   bytea       NOT NULL,
    answer      bytea       NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, caller, method, request_id)
);
CREATE INDEX answered_request_age ON chassis.answered_request (create_time);
ALTER TABLE chassis.answered_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE chassis.answered_request FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON chassis.answered_request TO huiyin_app
    USING (tenant_id = current_setting('huiyin.tenant', true))
    WITH CHECK (tenant_id = current_setting('huiyin.tenant', true));
CREATE POLICY worker ON chassis.answered_request TO huiyin_worker USING (true);
GRANT SELECT, INSERT ON chassis.answered_request TO huiyin_app;
GRANT SELECT, DELETE ON chassis.answered_request TO huiyin_worker;

-- Due work: what a room wants to do at a time, done in the transaction of its effect (ARCHITECTURE §5).
CREATE TABLE chassis.timer (
    tenant_id text        NOT NULL,
    kind      text        NOT NULL,
    key       text        NOT NULL,
    due_time  timestamptz NOT NULL,
    payload   jsonb       NOT NULL,
    attempts  integer     NOT NULL DEFAULT 0,
    error     text,
    PRIMARY KEY (tenant_id, kind, key)
);
CREATE INDEX timer_due ON chassis.timer (due_time);
ALTER TABLE chassis.timer ENABLE ROW LEVEL SECURITY;
ALTER TABLE chassis.timer FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON chassis.timer TO huiyin_app
    USING (tenant_id = current_setting('huiyin.tenant', true))
    WITH CHECK (tenant_id = current_setting('huiyin.tenant', true));
CREATE POLICY worker ON chassis.timer TO huiyin_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON chassis.timer TO huiyin_app, huiyin_worker;
