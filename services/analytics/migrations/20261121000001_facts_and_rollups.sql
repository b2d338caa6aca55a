-- What is known (facts), what it adds up to (rollups, totals), and what still waits to be counted (inbox).

-- Events that were taken in: each once, by its id. What it says is emptied when it is counted; the id stays for a while, so
-- that the same event at a new position changes nothing.
-- Consumers only ever insert here, so that no two of them wait for each other; one counter per tenant does the rest.
CREATE TABLE inbox (
    tenant_id  text        NOT NULL,
    event_id   uuid        NOT NULL,
    sequence   bigint      GENERATED ALWAYS AS IDENTITY,
    source     text        NOT NULL,
    occur_time timestamptz NOT NULL,
    happening  jsonb,
    counted    boolean     NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX inbox_waiting ON inbox (tenant_id, sequence) WHERE NOT counted;

-- Which tenants there are, and by which version of the rollups they are counted; its row is held by whoever counts.
CREATE TABLE counting (
    tenant_id      text    NOT NULL PRIMARY KEY,
    rollup_version integer NOT NULL
);

-- The counter serves all tenants: it may see for whom there is work, and nothing of what it is.
GRANT SELECT (tenant_id, counted) ON inbox TO huiyin_worker;
CREATE POLICY worker ON inbox FOR SELECT TO huiyin_worker USING (true);
GRANT SELECT ON counting TO huiyin_worker;
CREATE POLICY worker ON counting FOR SELECT TO huiyin_worker USING (true);

-- How far the events of each service are counted.
CREATE TABLE progress (
    tenant_id       text        NOT NULL,
    source          text        NOT NULL,
    events          bigint      NOT NULL,
    last_event_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, source)
);

-- All that is known of one feedback. `document` holds it whole; the columns repeat what is searched, grouped and ordered by.
CREATE TABLE feedback_fact (
    tenant_id       text        NOT NULL,
    feedback        uuid        NOT NULL,
    number          text        NOT NULL,
    customer        text        NOT NULL,
    channel         smallint    NOT NULL,
    tier            smallint    NOT NULL,
    product_model   text        NOT NULL,
    batch           text        NOT NULL,
    category        text        NOT NULL,
    priority        text        NOT NULL,
    team            text        NOT NULL,
    work_order      uuid,
    state           smallint    NOT NULL, -- 0 without a work order
    receive_time    timestamptz,          -- null before intake's own event is counted
    order_time      timestamptz NOT NULL, -- the same, 1970 where it is null: keyset pages need a value
    resolve_time    timestamptz,          -- of the resolution that stands
    working_us      bigint,               -- its working time, in microseconds
    last_event_time timestamptz NOT NULL,
    document        jsonb       NOT NULL,
    PRIMARY KEY (tenant_id, feedback)
) WITH (fillfactor = 80);
CREATE INDEX feedback_fact_order ON feedback_fact (tenant_id, order_time, feedback);
CREATE INDEX feedback_fact_resolved ON feedback_fact (tenant_id, resolve_time) WHERE resolve_time IS NOT NULL;
CREATE INDEX feedback_fact_work_order ON feedback_fact (tenant_id, work_order) WHERE work_order IS NOT NULL;
CREATE INDEX feedback_fact_number ON feedback_fact (tenant_id, number);

-- How each message ended. A message may be known before the feedback of its work order is.
CREATE TABLE message_fact (
    tenant_id       text        NOT NULL,
    message         uuid        NOT NULL,
    work_order      uuid,
    delivered       boolean     NOT NULL,
    last_event_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, message)
);
CREATE INDEX message_fact_work_order ON message_fact (tenant_id, work_order) WHERE work_order IS NOT NULL;

-- A combination of values of all dimensions; its id is a hash of them.
CREATE TABLE segment (
    tenant_id     text     NOT NULL,
    segment       uuid     NOT NULL,
    channel       smallint NOT NULL,
    tier          smallint NOT NULL,
    category      text     NOT NULL,
    priority      text     NOT NULL,
    product_model text     NOT NULL,
    batch         text     NOT NULL,
    team          text     NOT NULL,
    clock         text     NOT NULL,
    PRIMARY KEY (tenant_id, segment)
);

-- How many things of a measure happened in a stretch of time in a segment, and the sum of their values. What is added here can
-- always be taken back: rows that come to nothing are deleted.
CREATE TABLE rollup (
    tenant_id  text        NOT NULL,
    measure    smallint    NOT NULL,
    grain      smallint    NOT NULL, -- 1: a quarter of an hour, 2: a day in UTC
    start_time timestamptz NOT NULL,
    segment    uuid        NOT NULL,
    level      smallint    NOT NULL, -- logarithmic class of the value, for percentiles; 0 where the measure has none
    count      bigint      NOT NULL,
    sum        bigint      NOT NULL, -- microseconds, or millionths of a score
    PRIMARY KEY (tenant_id, measure, grain, start_time, segment, level)
) WITH (fillfactor = 80);

-- How many things of a kind there are over all time, for the audit.
CREATE TABLE total (
    tenant_id text   NOT NULL,
    kind      text   NOT NULL,
    clock     text   NOT NULL, -- key of the SLA clock; empty where the kind has none
    value     bigint NOT NULL,
    PRIMARY KEY (tenant_id, kind, clock)
);
