-- What the priority model said of a classification, and where its joint review stands (001-37, 001-39).
ALTER TABLE classification
    -- What it says of the facts in effect; null while that is what stands in `computed`, and where there was no model yet.
    ADD COLUMN decision jsonb,
    ADD COLUMN priority_model_version integer NOT NULL DEFAULT 0,
    ADD COLUMN review jsonb, -- null where there never was one
    ADD COLUMN review_state integer NOT NULL DEFAULT 0, -- as in huiyin.event.v1.PriorityReviewState
    ADD COLUMN review_escalated boolean NOT NULL DEFAULT false;
-- What waits for reviewers.
CREATE INDEX classification_in_review ON classification (tenant_id, create_time, classification_id) WHERE review_state = 1;
-- How many customers have the same problem.
CREATE INDEX classification_same_problem ON classification (tenant_id, product_model, category, create_time) WHERE product_model <> '';

-- Scores that people gave; only ever added to.
CREATE TABLE priority_scoring (
    tenant_id         text        NOT NULL,
    classification_id uuid        NOT NULL,
    revision          integer     NOT NULL,
    author            text        NOT NULL,
    reason            text        NOT NULL,
    scores            jsonb       NOT NULL, -- dimension → score
    create_time       timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, classification_id, revision),
    FOREIGN KEY (tenant_id, classification_id) REFERENCES classification (tenant_id, classification_id)
);

-- What reviewers said; only ever added to. A role speaks once in a round, and a person too.
CREATE TABLE priority_vote (
    tenant_id         text        NOT NULL,
    classification_id uuid        NOT NULL,
    round             integer     NOT NULL,
    role              text        NOT NULL,
    author            text        NOT NULL,
    approved          boolean     NOT NULL,
    reason            text        NOT NULL,
    revision          integer     NOT NULL,
    create_time       timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, classification_id, round, role),
    UNIQUE (tenant_id, classification_id, round, author),
    FOREIGN KEY (tenant_id, classification_id) REFERENCES classification (tenant_id, classification_id)
);
