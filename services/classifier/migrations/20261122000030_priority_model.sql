-- Versions of each tenant's priority models, for cases (1) and improvements (2). Version 0 is built in: its content stands in the
-- program, its row only says whether and since when it is in effect, and is made with the tenant's first version of that use.
CREATE TABLE priority_model (
    tenant_id     text        NOT NULL,
    used_for      integer     NOT NULL CHECK (used_for IN (1, 2)),
    version       integer     NOT NULL CHECK (version >= 0),
    preset        text        NOT NULL,
    display_name  text        NOT NULL,
    change_reason text        NOT NULL,
    author        text        NOT NULL,
    content       jsonb, -- missing for version 0 alone
    active        boolean     NOT NULL,
    revision      integer     NOT NULL,
    create_time   timestamptz NOT NULL,
    activate_time timestamptz,
    PRIMARY KEY (tenant_id, used_for, version),
    CHECK ((version = 0) = (content IS NULL))
);
-- One of each use is in effect.
CREATE UNIQUE INDEX priority_model_active ON priority_model (tenant_id, used_for) WHERE active;

-- Which version took the place of which: a rollback takes back the last one that was not taken back.
CREATE TABLE priority_model_activation (
    tenant_id   text        NOT NULL,
    used_for    integer     NOT NULL,
    sequence    integer     NOT NULL,
    version     integer     NOT NULL,
    before      integer     NOT NULL,
    author      text        NOT NULL,
    create_time timestamptz NOT NULL,
    taken_back_by text, -- whoever rolled it back
    PRIMARY KEY (tenant_id, used_for, sequence),
    FOREIGN KEY (tenant_id, used_for, version) REFERENCES priority_model (tenant_id, used_for, version)
);
