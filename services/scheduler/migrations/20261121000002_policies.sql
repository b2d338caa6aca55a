-- Calendars, SLA policies and routing policies: versions that never change, one of each kind in effect.

CREATE TABLE policy_version (
    tenant_id     text        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('calendar', 'sla_policy', 'routing_policy')),
    -- 0 is the built-in one. Its row is made when the tenant makes or activates another, and says only whether it is in effect.
    version       integer     NOT NULL CHECK (version >= 0),
    display_name  text        NOT NULL,
    change_reason text        NOT NULL,
    author        text        NOT NULL,
    content       jsonb,
    active        boolean     NOT NULL,
    revision      bigint      NOT NULL,
    create_time   timestamptz,
    activate_time timestamptz,
    PRIMARY KEY (tenant_id, kind, version),
    CHECK ((version = 0) = (content IS NULL))
);
CREATE UNIQUE INDEX policy_version_active ON policy_version (tenant_id, kind) WHERE active;

-- Deadlines of the past refer to versions by number: what they said may not be changed, not even by a mistake of ours.
REVOKE UPDATE, DELETE ON policy_version FROM huiyin_app;
GRANT UPDATE (active, revision, activate_time) ON policy_version TO huiyin_app;
