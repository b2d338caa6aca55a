-- API keys of the whole suite. Nothing of a key but its hash; it is 256 random bits, so that one hash is enough.
CREATE TABLE api_key (
    tenant_id            text        NOT NULL,
    id                   text        NOT NULL, -- the last part of its name, and a part of the key
    display_name         text        NOT NULL,
    roles                text[]      NOT NULL,
    expire_time          timestamptz,
    calls_per_second     integer     NOT NULL, -- 0: what every caller has
    hash                 bytea       NOT NULL,
    previous_hash        bytea,
    previous_expire_time timestamptz,
    state                integer     NOT NULL, -- 1 active, 2 revoked
    revoke_reason        text        NOT NULL,
    creator              text        NOT NULL,
    last_use_time        timestamptz,
    revision             integer     NOT NULL,
    create_time          timestamptz NOT NULL,
    update_time          timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CHECK ((previous_hash IS NULL) = (previous_expire_time IS NULL))
);
CREATE INDEX api_key_by_time ON api_key (tenant_id, create_time, id);
