-- Labels that were set of dimensions beside the main one: pairs of dimension and category.
ALTER TABLE correction ADD COLUMN labels jsonb NOT NULL DEFAULT '[]';

-- What a task asks people for, beside what is in doubt.
ALTER TABLE task
    ADD COLUMN review_share        double precision NOT NULL DEFAULT 0,
    ADD COLUMN double_coding_share double precision NOT NULL DEFAULT 0;

-- Labels that people are asked for: one for each classification, task and stage.
CREATE TABLE review_item (
    tenant_id         text             NOT NULL,
    item_id           uuid             NOT NULL,
    task_id           text             NOT NULL,
    classification_id uuid             NOT NULL,
    stage             integer          NOT NULL, -- ReviewStage
    double_coded      boolean          NOT NULL,
    reason            integer          NOT NULL, -- ReviewReason
    confidence        double precision NOT NULL,
    found_label       text             NOT NULL,
    guessed_label     text             NOT NULL, -- empty where no model was active
    candidates        text[]           NOT NULL, -- of an adjudication
    state             integer          NOT NULL, -- ReviewState: open, resolved or closed; claimed is open with a lease
    close_reason      integer          NOT NULL DEFAULT 0,
    assignee          text             NOT NULL DEFAULT '', -- whoever has it while the lease lasts, or resolved it
    lease_expire_time timestamptz,
    skipped_by        text[]           NOT NULL DEFAULT '{}',
    label             text             NOT NULL DEFAULT '',
    comment           text             NOT NULL DEFAULT '', -- masked
    resolve_time      timestamptz,
    -- Of the first stage alone: what people made of the text in the end.
    settled_label     text,
    settle_time       timestamptz,
    revision          integer          NOT NULL,
    create_time       timestamptz      NOT NULL,
    update_time       timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, item_id),
    UNIQUE (tenant_id, classification_id, task_id, stage),
    FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, task_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, classification_id) REFERENCES classification (tenant_id, classification_id) ON DELETE CASCADE
);
CREATE INDEX review_item_by_creation ON review_item (tenant_id, create_time, item_id);
CREATE INDEX review_item_by_confidence ON review_item (tenant_id, ((confidence * 1000000)::bigint), item_id);
-- What waits, in the order in which it is given out.
CREATE INDEX review_item_waiting ON review_item (tenant_id, create_time, item_id) WHERE state = 1;
-- What agreement is counted over; deleting a task goes by it too.
CREATE INDEX review_item_of_task ON review_item (tenant_id, task_id, stage, resolve_time);
