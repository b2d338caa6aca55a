-- What a tenant lets be learnt.
CREATE TABLE task (
    tenant_id         text             NOT NULL,
    task_id           text             NOT NULL,
    display_name      text             NOT NULL,
    target            integer          NOT NULL, -- TaskTarget
    dimension         text             NOT NULL, -- empty but for one of a dimension
    threshold         double precision NOT NULL,
    hold_out_share    double precision NOT NULL,
    last_version      integer          NOT NULL DEFAULT 0,
    active_version    integer          NOT NULL DEFAULT 0, -- 0 for none
    previous_versions integer[]        NOT NULL DEFAULT '{}', -- those that were active before it, the latest last; 0 for none
    shadow_version    integer          NOT NULL DEFAULT 0,
    revision          integer          NOT NULL,
    author            text             NOT NULL,
    create_time       timestamptz      NOT NULL,
    update_time       timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, task_id)
);
-- A dimension has one task at most, and sentiment too.
CREATE UNIQUE INDEX task_of_target ON task (tenant_id, target, dimension) WHERE target <> 1;

-- Texts whose labels are known; masked.
CREATE TABLE example (
    tenant_id   text        NOT NULL,
    task_id     text        NOT NULL,
    example_id  text        NOT NULL,
    text        text        NOT NULL,
    label       text        NOT NULL,
    side        integer     NOT NULL, -- ExampleSide
    bucket      integer     NOT NULL, -- 0 … 9999, by a hash: decides the side where it is not said
    source      integer     NOT NULL, -- ExampleSource
    feedback    text        NOT NULL, -- its name; empty for one that was imported
    author      text        NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, task_id, example_id),
    FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, task_id) ON DELETE CASCADE
);
CREATE INDEX example_by_creation ON example (tenant_id, task_id, create_time, example_id);
-- Erasure looks here.
CREATE INDEX example_by_feedback ON example (tenant_id, feedback) WHERE feedback <> '';

-- Versions of models; never changed.
CREATE TABLE model (
    tenant_id         text             NOT NULL,
    task_id           text             NOT NULL,
    version           integer          NOT NULL CHECK (version > 0),
    change_reason     text             NOT NULL,
    labels            text[]           NOT NULL,
    training_examples bigint           NOT NULL,
    evaluation        jsonb, -- missing where there was no hold-out
    train_seconds     double precision NOT NULL,
    size_bytes        bigint           NOT NULL,
    digest            text             NOT NULL,
    content           bytea            NOT NULL,
    author            text             NOT NULL,
    create_time       timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, task_id, version),
    FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, task_id) ON DELETE CASCADE
);
-- They are quantised numbers: compressing them saves little and costs every load.
ALTER TABLE model ALTER COLUMN content SET STORAGE EXTERNAL;

-- Who let which version decide, and why; only ever added to.
CREATE TABLE model_activation (
    tenant_id   text        NOT NULL,
    task_id     text        NOT NULL,
    revision    integer     NOT NULL, -- the task's, that it made
    version     integer     NOT NULL, -- 0 for none
    author      text        NOT NULL,
    reason      text        NOT NULL,
    forced      boolean     NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, task_id, revision),
    FOREIGN KEY (tenant_id, task_id) REFERENCES task (tenant_id, task_id) ON DELETE CASCADE
);
