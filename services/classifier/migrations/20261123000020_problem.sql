-- Problems: many feedbacks that say the same. Whoever changes one, or what belongs to it, holds the tenant's lock (store::hold).
CREATE TABLE problem (
    tenant_id              text        NOT NULL,
    problem_id             uuid        NOT NULL,
    number                 text        NOT NULL,
    title                  text        NOT NULL,
    title_given            boolean     NOT NULL, -- false: made of category, product and terms, and made anew with them
    description            text        NOT NULL,
    category               text        NOT NULL, -- empty for any, as are model and batch
    product_model          text        NOT NULL,
    batch                  text        NOT NULL,
    of_model               boolean     NOT NULL, -- true: only feedback of exactly this model, also where that is none
    of_batch               boolean     NOT NULL, -- the same of the batch
    state                  integer     NOT NULL, -- as in huiyin.event.v1.ProblemState
    origin                 integer     NOT NULL, -- ProblemOrigin
    whole_group            boolean     NOT NULL, -- true: category, product and batch are all that it has in common
    terms                  jsonb       NOT NULL,
    merged_into            uuid, -- where it is merged, and into which; that one may be merged too
    state_before_merge     integer     NOT NULL,
    rejected_count         bigint      NOT NULL, -- how many feedbacks it had when it was rejected last
    fix_version            text        NOT NULL,
    fix_time               timestamptz,
    -- Worked out of problem_feedback with every change.
    feedback_count         bigint      NOT NULL,
    customer_count         bigint      NOT NULL,
    unknown_customer_count bigint      NOT NULL,
    recurrence_count       bigint      NOT NULL,
    first_seen_time        timestamptz,
    last_seen_time         timestamptz,
    revision               integer     NOT NULL,
    author                 text        NOT NULL,
    create_time            timestamptz NOT NULL,
    update_time            timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, problem_id),
    UNIQUE (tenant_id, number),
    CHECK ((state = 6) = (merged_into IS NOT NULL))
);
CREATE INDEX problem_by_creation ON problem (tenant_id, create_time, problem_id);
CREATE INDEX problem_by_feedbacks ON problem (tenant_id, feedback_count, problem_id);
CREATE INDEX problem_by_customers ON problem (tenant_id, customer_count, problem_id);
CREATE INDEX problem_by_last_seen ON problem (tenant_id, (COALESCE(last_seen_time, create_time)), problem_id);
CREATE INDEX problem_by_group ON problem (tenant_id, category, product_model);
CREATE INDEX problem_merged ON problem (tenant_id, merged_into) WHERE merged_into IS NOT NULL;

-- Where a problem stood; only ever added to.
CREATE TABLE problem_transition (
    tenant_id   text        NOT NULL,
    problem_id  uuid        NOT NULL,
    revision    integer     NOT NULL,
    from_state  integer     NOT NULL,
    to_state    integer     NOT NULL,
    reason      text        NOT NULL,
    actor       text        NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, problem_id, revision),
    FOREIGN KEY (tenant_id, problem_id) REFERENCES problem (tenant_id, problem_id)
);

-- Which feedback belongs to which problem: to one at most.
CREATE TABLE problem_feedback (
    tenant_id   text        NOT NULL,
    feedback_id uuid        NOT NULL, -- and that of its classification
    problem_id  uuid        NOT NULL, -- its own
    holder_id   uuid        NOT NULL, -- for which it counts: its own, or what that was merged into
    -- The name of the customer; empty where nobody is known; `erased/…` once erased, so that a customer goes on counting once.
    customer    text        NOT NULL,
    seen_time   timestamptz NOT NULL, -- when it happened, else when it reached us
    source      integer     NOT NULL, -- MembershipSource
    recurrence  boolean     NOT NULL, -- came about after a fix was released
    author      text        NOT NULL,
    create_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, feedback_id),
    FOREIGN KEY (tenant_id, problem_id) REFERENCES problem (tenant_id, problem_id),
    FOREIGN KEY (tenant_id, holder_id) REFERENCES problem (tenant_id, problem_id)
);
CREATE INDEX problem_feedback_by_seen ON problem_feedback (tenant_id, holder_id, seen_time, feedback_id);
CREATE INDEX problem_feedback_by_creation ON problem_feedback (tenant_id, holder_id, create_time, feedback_id);
CREATE INDEX problem_feedback_by_own ON problem_feedback (tenant_id, problem_id);
-- Erasure looks here.
CREATE INDEX problem_feedback_by_customer ON problem_feedback (tenant_id, customer) WHERE customer <> '';

-- What people took out of a problem: it does not come to one by itself any more.
CREATE TABLE problem_removal (
    tenant_id   text NOT NULL,
    feedback_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, feedback_id)
);

-- When problems are proposed; a tenant without a row goes by the built-in policy.
CREATE TABLE problem_policy (
    tenant_id   text        NOT NULL PRIMARY KEY,
    content     jsonb       NOT NULL,
    revision    integer     NOT NULL,
    author      text        NOT NULL,
    update_time timestamptz NOT NULL
);

-- The last number of each day, YYYYMMDD in UTC.
CREATE TABLE problem_counter (
    tenant_id text    NOT NULL,
    day       integer NOT NULL,
    last      bigint  NOT NULL,
    PRIMARY KEY (tenant_id, day)
);

-- Groups are asked for without a product model too: this index serves both, and says by itself how many customers are concerned.
CREATE INDEX classification_by_group ON classification (tenant_id, category, product_model, create_time) INCLUDE (customer);
DROP INDEX classification_same_problem;
