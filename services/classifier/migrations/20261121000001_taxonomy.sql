-- Versions of each tenant's taxonomy. Version 0 is the built-in one: its content stands in the program, its row only says
-- whether and since when it is in effect, and is made with the tenant's first version.
CREATE TABLE taxonomy (
    tenant_id     text        NOT NULL,
    version       integer     NOT NULL CHECK (version >= 0),
    display_name  text        NOT NULL,
    change_reason text        NOT NULL,
    author        text        NOT NULL,
    content       jsonb, -- missing for version 0 alone
    active        boolean     NOT NULL,
    revision      integer     NOT NULL,
    create_time   timestamptz NOT NULL,
    activate_time timestamptz,
    PRIMARY KEY (tenant_id, version),
    CHECK ((version = 0) = (content IS NULL))
);
-- One is in effect.
CREATE UNIQUE INDEX taxonomy_active ON taxonomy (tenant_id) WHERE active;
