-- What was said last of each subject: the truth that the sink is compared with.
CREATE TABLE counter (
    tenant_id text    NOT NULL,
    subject   text    NOT NULL,
    value     integer NOT NULL,
    PRIMARY KEY (tenant_id, subject)
);
