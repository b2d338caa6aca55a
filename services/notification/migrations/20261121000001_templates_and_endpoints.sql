-- A tenant's own words. Every version is kept: a message says which one it was written from.
CREATE TABLE template (
    tenant_id   text        NOT NULL,
    purpose     smallint    NOT NULL,
    locale      text        NOT NULL, -- as in the resource name: lower case
    tag         text        NOT NULL, -- the same as BCP 47 writes it
    version     integer     NOT NULL CHECK (version >= 1),
    subject     text        NOT NULL,
    body        text        NOT NULL,
    author      text        NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, purpose, locale, version)
);

-- URLs of the tenant's that messages are posted to. Secrets are sealed with the key of the vault.
CREATE TABLE webhook_endpoint (
    tenant_id                   text        NOT NULL,
    id                          uuid        NOT NULL,
    display_name                text        NOT NULL,
    url                         text        NOT NULL,
    purposes                    smallint[]  NOT NULL, -- empty: all
    state                       smallint    NOT NULL,
    disable_reason              text        NOT NULL,
    secret                      bytea       NOT NULL,
    previous_secret             bytea,
    previous_secret_expire_time timestamptz,
    revision                    integer     NOT NULL,
    create_time                 timestamptz NOT NULL,
    update_time                 timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX webhook_endpoint_order ON webhook_endpoint (tenant_id, create_time, id);
