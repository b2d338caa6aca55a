-- Files that came along with feedback (000-24, 001-22). The bytes lie in the object store; what no row names there is removed.

-- The same bytes are kept once per tenant.
CREATE TABLE attachment_content (
    tenant_id       text        NOT NULL,
    sha256          bytea       NOT NULL,
    size_bytes      bigint      NOT NULL,
    object          text        NOT NULL, -- its key in the object store
    scan_state      integer     NOT NULL,
    signature       text        NOT NULL, -- what the scanner found; empty where nothing
    reference_count bigint      NOT NULL,
    hold_time       timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, sha256)
);
CREATE UNIQUE INDEX attachment_content_object ON attachment_content (tenant_id, object);

CREATE TABLE attachment (
    tenant_id   text        NOT NULL,
    id          uuid        NOT NULL,
    sha256      bytea       NOT NULL,
    file_name   text        NOT NULL,
    media_type  text        NOT NULL,
    note        text        NOT NULL,
    feedback_id uuid, -- NULL until a feedback is created with it
    author      text        NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, sha256) REFERENCES attachment_content
);
CREATE INDEX attachment_of_feedback ON attachment (tenant_id, feedback_id, create_time, id) WHERE feedback_id IS NOT NULL;

-- How much was uploaded on each day (UTC).
CREATE TABLE attachment_day (
    tenant_id  text    NOT NULL,
    day        integer NOT NULL, -- YYYYMMDD
    size_bytes bigint  NOT NULL,
    PRIMARY KEY (tenant_id, day)
);
