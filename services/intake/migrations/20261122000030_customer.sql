-- What the enterprise says of a customer. Whoever sent feedback is a customer, with or without a row here.
CREATE TABLE customer (
    tenant_id   text        NOT NULL,
    id          uuid        NOT NULL,
    tier        integer     NOT NULL DEFAULT 0,
    payment     integer     NOT NULL DEFAULT 0,
    since_time  timestamptz,
    region      text        NOT NULL DEFAULT '',
    age_band    text        NOT NULL DEFAULT '',
    industry    text        NOT NULL DEFAULT '',
    custom      jsonb       NOT NULL DEFAULT '{}',
    revision    bigint      NOT NULL DEFAULT 1,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- Which customer an identity leads to, where that is not the one of its own hash: identities that were joined, taken apart, or
-- whose customer was erased. A token is a keyed hash; what it was made of is not kept (000-21, 001-14).
CREATE TABLE customer_identity (
    tenant_id   text NOT NULL,
    token       uuid NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, token)
);
CREATE INDEX customer_identity_by_customer ON customer_identity (tenant_id, customer_id);

-- The keys that open addresses and verbatim words: one per identity, or per feedback without one, wrapped by the tenant's key of a
-- version. Whoever deletes a row shreds what it opened, in backups of other tables too.
CREATE TABLE data_key (
    tenant_id   text    NOT NULL,
    owner       uuid    NOT NULL,
    wrapped     bytea   NOT NULL,
    key_version integer NOT NULL,
    PRIMARY KEY (tenant_id, owner)
);

CREATE TABLE segment_policy (
    tenant_id   text        NOT NULL PRIMARY KEY,
    content     jsonb       NOT NULL,
    revision    bigint      NOT NULL,
    update_time timestamptz NOT NULL
);

CREATE TABLE retention_policy (
    tenant_id    text        NOT NULL PRIMARY KEY,
    text_days    integer     NOT NULL,
    contact_days integer     NOT NULL,
    revision     bigint      NOT NULL,
    update_time  timestamptz NOT NULL
);

CREATE TABLE erasure (
    tenant_id      text        NOT NULL,
    id             uuid        NOT NULL,
    customer_id    uuid        NOT NULL,
    -- Every name that the customer has gone by.
    customers      uuid[]      NOT NULL,
    -- The customer's feedbacks, until every service has done its part.
    feedbacks      uuid[]      NOT NULL,
    feedback_count bigint      NOT NULL,
    author         text        NOT NULL,
    reason         text        NOT NULL,
    -- What each service did: service → {complete_time, counts, parts}.
    rooms          jsonb       NOT NULL DEFAULT '{}',
    problem        text        NOT NULL DEFAULT '',
    create_time    timestamptz NOT NULL,
    complete_time  timestamptz,
    -- The certificate: huiyin.intake.v1.ErasureCertificate, and its place in the tenant's chain.
    sequence       bigint,
    hash           bytea,
    certificate    bytea,
    PRIMARY KEY (tenant_id, id),
    CHECK ((complete_time IS NULL) = (certificate IS NULL))
);
CREATE UNIQUE INDEX erasure_sequence ON erasure (tenant_id, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX erasure_by_customer ON erasure (tenant_id, customer_id);

-- By which identity a feedback came: what stays with it when customers are joined and taken apart. In older rows it is the customer.
ALTER TABLE feedback ADD COLUMN identity_token uuid;
ALTER TABLE feedback ADD COLUMN segments text[] NOT NULL DEFAULT '{}';
-- The customer's words as they came, sealed, where something in them had to be masked. The columns beside hold the masked words;
-- in older rows they hold the words as they came, until keys are rotated.
ALTER TABLE feedback ADD COLUMN verbatim_sealed bytea;
ALTER TABLE feedback ADD COLUMN text_blank_time timestamptz;

-- Everything that a batch of feedbacks needs to know of its customers, in one round trip: which customer each identity leads to,
-- what is said of it, and the key that seals, made from the candidate where there is none. The row of the nil id carries the
-- tenant's segments. A function, because each statement of it must see what was committed while the one before waited. The shared
-- lock is held until the batch is committed: who joins customers or erases one takes it alone.
CREATE FUNCTION know_customers(of_tenant text, ids uuid[], sealing boolean[], candidates bytea[], version integer)
RETURNS TABLE (
    id uuid, customer_id uuid, wrapped bytea, key_version integer, tier integer, payment integer, since_time timestamptz,
    region text, age_band text, industry text, custom jsonb)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('customers/' || of_tenant, 0));
    INSERT INTO data_key (tenant_id, owner, wrapped, key_version)
    SELECT of_tenant, u.id, u.candidate, version
    FROM unnest(ids, sealing, candidates) AS u (id, sealing, candidate)
    WHERE u.sealing
    ORDER BY u.id
    ON CONFLICT DO NOTHING;
    RETURN QUERY
        SELECT u.id, COALESCE(i.customer_id, u.id), k.wrapped, k.key_version, c.tier, c.payment, c.since_time, c.region,
               c.age_band, c.industry, c.custom
        FROM unnest(ids) AS u (id)
        LEFT JOIN LATERAL (
            SELECT f.customer_id FROM customer_identity AS f
            WHERE f.tenant_id = of_tenant AND f.token = u.id LIMIT 1
        ) AS i ON true
        LEFT JOIN LATERAL (
            SELECT f.wrapped, f.key_version FROM data_key AS f
            WHERE f.tenant_id = of_tenant AND f.owner = u.id LIMIT 1
        ) AS k ON true
        LEFT JOIN LATERAL (
            SELECT f.* FROM customer AS f
            WHERE f.tenant_id = of_tenant AND f.id = COALESCE(i.customer_id, u.id) LIMIT 1
        ) AS c ON true
        UNION ALL
        SELECT '00000000-0000-0000-0000-000000000000'::uuid, '00000000-0000-0000-0000-000000000000'::uuid, NULL, NULL, NULL, NULL,
               NULL, NULL, NULL, NULL, p.content
        FROM segment_policy AS p WHERE p.tenant_id = of_tenant;
END
$$;
GRANT EXECUTE ON FUNCTION know_customers(text, uuid[], boolean[], bytea[], integer) TO huiyin_app;
