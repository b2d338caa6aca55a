-- What arrived, in the order in which it did. No key: an event that comes twice or out of order must be seen.
CREATE TABLE arrived (
    tenant_id text      NOT NULL,
    subject   text      NOT NULL,
    value     integer   NOT NULL,
    seq       bigserial NOT NULL
);
