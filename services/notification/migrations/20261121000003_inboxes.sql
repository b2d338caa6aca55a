-- One row per recipient. Its lock gives changes their order: what has a lower number is committed before what has a higher.
CREATE TABLE inbox (
    tenant_id text    NOT NULL,
    recipient text    NOT NULL,
    changes   bigint  NOT NULL,
    unread    integer NOT NULL,
    PRIMARY KEY (tenant_id, recipient)
);

-- Delivered messages as they lie in an inbox; the words are the message's.
CREATE TABLE inbox_item (
    tenant_id   text        NOT NULL,
    id          uuid        NOT NULL, -- that of the message
    recipient   text        NOT NULL,
    change      bigint      NOT NULL, -- number of the last change of this item within its inbox
    token       bytea,                -- of a survey's link, sealed with the key of the vault
    create_time timestamptz NOT NULL,
    read_time   timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX inbox_item_change ON inbox_item (tenant_id, recipient, change);
CREATE INDEX inbox_item_order ON inbox_item (tenant_id, recipient, create_time, id);
