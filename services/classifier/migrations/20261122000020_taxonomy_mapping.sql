-- How the categories of an earlier version of a tenant's taxonomy become those of a later one. Version 0 may be either, and has a row
-- in taxonomy only once the tenant made a version, so neither refers to that table.
CREATE TABLE taxonomy_mapping (
    tenant_id    text        NOT NULL,
    version      integer     NOT NULL,
    from_version integer     NOT NULL,
    categories   jsonb       NOT NULL,
    author       text        NOT NULL,
    revision     integer     NOT NULL,
    create_time  timestamptz NOT NULL,
    update_time  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, version, from_version),
    CHECK (version <> from_version)
);
