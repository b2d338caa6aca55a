-- A table that is closed already is left alone: to close it again would take it away from all who work on it, at every start of a
-- replica, and two tables taken one after the other are a deadlock.
CREATE OR REPLACE FUNCTION chassis.isolate_tenants() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS has_tenant,
               EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'tenant') AS has_policy
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace
          AND c.relkind IN ('r', 'p')
          AND c.relname <> '_sqlx_migrations'
    LOOP
        IF NOT found.has_tenant THEN
            RAISE EXCEPTION 'table % has no column tenant_id: whose are its rows?', found.relname;
        END IF;
        IF NOT found.relrowsecurity THEN
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', found.relname);
        END IF;
        IF NOT found.relforcerowsecurity THEN
            EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', found.relname);
        END IF;
        IF NOT found.has_policy THEN
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
