-- Long work (AIP-151): what was asked, how far it is, how it ended.
CREATE TABLE chassis.operation (
    tenant_id    text        NOT NULL,
    operation_id uuid        NOT NULL,
    kind         text        NOT NULL, -- e.g. classifier.TrainModel
    author       text        NOT NULL,
    request      bytea       NOT NULL,
    -- How far it is.
    stage        text        NOT NULL DEFAULT '',
    done         bigint      NOT NULL DEFAULT 0,
    total        bigint      NOT NULL DEFAULT 0,
    checkpoint   bytea, -- what its kind needs to go on where it stopped
    attempts     integer     NOT NULL DEFAULT 0,
    -- Whose it is: from due_time on, whoever takes it. Who works on it has written its lease here, and moves due_time along.
    due_time     timestamptz NOT NULL,
    lease        uuid,
    cancel_time  timestamptz,
    -- How it ended: an Any or a google.rpc.Status.
    response     bytea,
    error        bytea,
    create_time  timestamptz NOT NULL,
    update_time  timestamptz NOT NULL,
    end_time     timestamptz,
    PRIMARY KEY (tenant_id, operation_id),
    CHECK ((end_time IS NOT NULL)::integer = (response IS NOT NULL)::integer + (error IS NOT NULL)::integer)
);
CREATE INDEX operation_due ON chassis.operation (due_time) WHERE end_time IS NULL;
CREATE INDEX operation_by_creation ON chassis.operation (tenant_id, create_time, operation_id);
CREATE INDEX operation_ended ON chassis.operation (end_time) WHERE end_time IS NOT NULL;
ALTER TABLE chassis.operation ENABLE ROW LEVEL SECURITY;
ALTER TABLE chassis.operation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON chassis.operation TO huiyin_app
    USING (tenant_id = current_setting('huiyin.tenant', true))
    WITH CHECK (tenant_id = current_setting('huiyin.tenant', true));
CREATE POLICY worker ON chassis.operation TO huiyin_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON chassis.operation TO huiyin_app;
GRANT SELECT, UPDATE, DELETE ON chassis.operation TO huiyin_worker;
