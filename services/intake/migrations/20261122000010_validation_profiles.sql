-- What a tenant takes in, in versions (C-07, C-09): made whole, never changed, one in effect.

CREATE TABLE validation_profile (
    tenant_id     text        NOT NULL,
    -- 0 is the built-in one: its row is there as soon as another was made, has no content, and is the lock.
    version       integer     NOT NULL,
    display_name  text        NOT NULL,
    change_reason text        NOT NULL,
    author        text        NOT NULL,
    content       jsonb,
    active        boolean     NOT NULL,
    revision      bigint      NOT NULL,
    create_time   timestamptz,
    activate_time timestamptz,
    PRIMARY KEY (tenant_id, version)
);
CREATE UNIQUE INDEX validation_profile_active ON validation_profile (tenant_id) WHERE active;

-- TYPE_ONLY keeps the kind without the address (001-15).
DO $$
DECLARE
    found text;
BEGIN
    FOR found IN
        SELECT conname FROM pg_constraint
        WHERE conrelid = 'feedback'::regclass AND contype = 'c' AND pg_get_constraintdef(oid) LIKE '%contact_kind%'
    LOOP
        EXECUTE format('ALTER TABLE feedback DROP CONSTRAINT %I', found);
    END LOOP;
END
$$;
ALTER TABLE feedback ADD CONSTRAINT feedback_contact CHECK (contact_sealed IS NULL OR contact_kind IS NOT NULL) NOT VALID;
