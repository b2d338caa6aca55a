-- Work orders, their clocks and history; agents and teams.

-- The handling of one feedback. Exactly one for each, whatever is delivered twice.
CREATE TABLE work_order (
    tenant_id               text        NOT NULL,
    id                      uuid        NOT NULL,
    number                  text        NOT NULL,
    -- The digest of the feedback, frozen when it was opened.
    feedback                text        NOT NULL,
    feedback_number         text        NOT NULL,
    channel                 integer     NOT NULL,
    customer                text        NOT NULL,
    tier                    integer     NOT NULL,
    product_model           text        NOT NULL,
    batch                   text        NOT NULL,
    occur_time              timestamptz,
    receive_time            timestamptz,
    language                text        NOT NULL,
    reachable               boolean     NOT NULL,
    -- From the classification of the highest revision seen.
    classification_revision integer     NOT NULL,
    category                text        NOT NULL,
    priority_key            text        NOT NULL,
    priority_rank           integer     NOT NULL,
    skills                  text[]      NOT NULL,
    excerpt                 text        NOT NULL,
    -- huiyin.event.v1.StateCategory, and since when.
    state                   smallint    NOT NULL CHECK (state BETWEEN 1 AND 7),
    state_time              timestamptz NOT NULL,
    stage                   smallint    NOT NULL,
    state_reason            text        NOT NULL,
    episode                 integer     NOT NULL CHECK (episode >= 1),
    acknowledged_episode    integer     NOT NULL,
    assignee                text        NOT NULL,
    team                    text        NOT NULL,
    first_contact           text        NOT NULL,
    assignment_count        integer     NOT NULL,
    progress_count          integer     NOT NULL,
    resolution_count        integer     NOT NULL,
    reopen_count            integer     NOT NULL,
    -- Kept from the clocks of this episode, for lists.
    due_time                timestamptz,
    next_due_time           timestamptz,
    breached                boolean     NOT NULL,
    -- The versions that this episode goes by.
    policy_version          integer     NOT NULL,
    calendar_version        integer     NOT NULL,
    resolution              jsonb,
    promise_time            timestamptz,
    -- Working time over all episodes up to state_time, and up to the last resolution. Microseconds.
    worked_us               bigint      NOT NULL,
    working_us              bigint,
    -- The earliest timer that is set, and how many were: each has a key of its own.
    timer_time              timestamptz,
    timer_count             bigint      NOT NULL,
    revision                bigint      NOT NULL,
    entry_count             bigint      NOT NULL,
    create_time             timestamptz NOT NULL,
    update_time             timestamptz NOT NULL,
    acknowledge_time        timestamptz,
    first_response_time     timestamptz,
    start_time              timestamptz,
    resolve_time            timestamptz,
    close_time              timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT work_order_feedback UNIQUE (tenant_id, feedback),
    CONSTRAINT work_order_number UNIQUE (tenant_id, number)
);
CREATE INDEX work_order_create ON work_order (tenant_id, create_time, id);
CREATE INDEX work_order_open_team ON work_order (tenant_id, team) WHERE state <= 4;
CREATE INDEX work_order_open_assignee ON work_order (tenant_id, assignee) WHERE state <= 4;

-- One clock of one episode: its log (in `clock`, with its terms) is the truth, the other columns are what was reckoned from it when it last changed.
CREATE TABLE sla_clock (
    tenant_id      text        NOT NULL,
    work_order_id  uuid        NOT NULL,
    episode        integer     NOT NULL,
    key            text        NOT NULL,
    place          integer     NOT NULL,
    clock          jsonb       NOT NULL,
    state          smallint    NOT NULL,
    due_time       timestamptz,
    -- The marks: each at most once, with the deadline that was in force.
    warned_at      timestamptz,
    warned_due     timestamptz,
    breached_at    timestamptz,
    breached_due   timestamptz,
    stop_mark      smallint,
    stop_mark_at   timestamptz,
    stop_mark_due  timestamptz,
    PRIMARY KEY (tenant_id, work_order_id, episode, key),
    FOREIGN KEY (tenant_id, work_order_id) REFERENCES work_order (tenant_id, id)
);

-- What happened (全流程可追溯, 004-13). Written once, never changed.
CREATE TABLE work_order_event (
    tenant_id      text        NOT NULL,
    work_order_id  uuid        NOT NULL,
    sequence       bigint      NOT NULL,
    kind           smallint    NOT NULL,
    occur_time     timestamptz NOT NULL,
    actor          text        NOT NULL,
    episode        integer     NOT NULL,
    state          smallint    NOT NULL,
    previous_state smallint,
    stage          smallint    NOT NULL,
    reason         text        NOT NULL,
    note           text        NOT NULL,
    customer_text  text        NOT NULL,
    promise_time   timestamptz,
    assignee       text        NOT NULL,
    team           text        NOT NULL,
    category       text        NOT NULL,
    priority_key   text,
    priority_rank  integer,
    resolution     jsonb,
    clock          text        NOT NULL,
    mark           smallint,
    due_time       timestamptz,
    PRIMARY KEY (tenant_id, work_order_id, sequence),
    FOREIGN KEY (tenant_id, work_order_id) REFERENCES work_order (tenant_id, id)
);

-- Groups of agents. `fallback` is made for a tenant when it is first looked at.
CREATE TABLE team (
    tenant_id    text        NOT NULL,
    team_id      text        NOT NULL,
    display_name text        NOT NULL,
    department   text        NOT NULL,
    revision     bigint      NOT NULL,
    create_time  timestamptz NOT NULL,
    update_time  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, team_id)
);

-- People who handle work orders. open_count is kept, not counted: every assignment looks at it.
CREATE TABLE agent (
    tenant_id        text        NOT NULL,
    agent_id         text        NOT NULL,
    subject          text        NOT NULL,
    display_name     text        NOT NULL,
    team             text        NOT NULL,
    skill_keys       text[]      NOT NULL,
    skill_levels     smallint[]  NOT NULL,
    capacity_weight  integer     NOT NULL CHECK (capacity_weight >= 0),
    open_limit       integer     NOT NULL CHECK (open_limit >= 0),
    available        boolean     NOT NULL,
    supervisor       boolean     NOT NULL,
    email            text        NOT NULL,
    language         text        NOT NULL,
    open_count       integer     NOT NULL CHECK (open_count >= 0),
    last_assign_time timestamptz,
    revision         bigint      NOT NULL,
    create_time      timestamptz NOT NULL,
    update_time      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, agent_id),
    CONSTRAINT agent_subject UNIQUE (tenant_id, subject),
    CONSTRAINT agent_team FOREIGN KEY (tenant_id, team) REFERENCES team (tenant_id, team_id)
);
CREATE INDEX agent_available ON agent (tenant_id, team) WHERE available;
