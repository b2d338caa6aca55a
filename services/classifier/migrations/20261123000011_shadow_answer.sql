-- What a version would have said of a feedback, beside what decided; labels alone, no words.
CREATE TABLE shadow_answer (
    tenant_id         text             NOT NULL,
    task_id           text             NOT NULL,
    version           integer          NOT NULL,
    classification_id uuid             NOT NULL,
    label             text             NOT NULL,
    confidence        double precision NOT NULL,
    active_version    integer          NOT NULL, -- 0 where the words decided
    active_label      text             NOT NULL,
    create_time       timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, task_id, version, classification_id),
    FOREIGN KEY (tenant_id, task_id, version) REFERENCES model (tenant_id, task_id, version) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, classification_id) REFERENCES classification (tenant_id, classification_id) ON DELETE CASCADE
);
CREATE INDEX shadow_answer_of_classification ON shadow_answer (tenant_id, classification_id);

-- The version of the taxonomy whose rules a model takes as features; missing where it takes none.
ALTER TABLE model ADD COLUMN rules_version integer;
