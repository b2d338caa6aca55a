-- Senders that are known: forms, connectors and mailboxes.
CREATE TABLE source (
    tenant_id                   text        NOT NULL,
    id                          text        NOT NULL, -- the last part of its name
    display_name                text        NOT NULL,
    channel                     integer     NOT NULL,
    feedback_source             text        NOT NULL,
    -- Where the fields stand in what it sends, and those that are the same for all: [[pointer, field]], [[field, value]].
    mappings                    jsonb       NOT NULL,
    fixed_fields                jsonb       NOT NULL,
    keywords                    text[]      NOT NULL,
    origins                     text[]      NOT NULL,
    state                       integer     NOT NULL,
    disable_reason              text        NOT NULL,
    -- Sealed: a signing secret must be used again in the clear, but never lies here so.
    secret                      bytea       NOT NULL,
    previous_secret             bytea,
    previous_secret_expire_time timestamptz,
    revision                    integer     NOT NULL,
    create_time                 timestamptz NOT NULL,
    update_time                 timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CHECK ((previous_secret IS NULL) = (previous_secret_expire_time IS NULL))
);
CREATE INDEX source_by_time ON source (tenant_id, create_time, id);
