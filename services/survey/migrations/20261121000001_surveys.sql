-- What customers are asked. Version 0 of `resolution` is built in and has no row; a version never changes.
CREATE TABLE survey_version (
    tenant_id   text        NOT NULL,
    survey_id   text        NOT NULL,
    version     integer     NOT NULL CHECK (version >= 1),
    definition  jsonb       NOT NULL,
    update_time timestamptz NOT NULL,
    author      text        NOT NULL,
    PRIMARY KEY (tenant_id, survey_id, version)
);

-- The right to rate one resolution, once. Of the token only the SHA-256 is here; with the key of the service, which is
-- not, `token_nonce` makes it again.
CREATE TABLE invitation (
    tenant_id         text        NOT NULL,
    invitation_id     uuid        NOT NULL,
    survey_id         text        NOT NULL,
    survey_version    integer     NOT NULL,
    work_order        text        NOT NULL,
    episode           integer     NOT NULL,
    feedback          text        NOT NULL,
    customer          text        NOT NULL,
    work_order_digest bytea       NOT NULL, -- huiyin.event.v1.WorkOrderDigest, as the scheduler told it
    token_nonce       bytea       NOT NULL,
    token_hash        bytea       NOT NULL,
    state             smallint    NOT NULL, -- numbers of huiyin.survey.v1.InvitationState
    response_id       uuid,
    create_time       timestamptz NOT NULL,
    expire_time       timestamptz NOT NULL,
    answer_time       timestamptz,
    PRIMARY KEY (tenant_id, invitation_id),
    -- Exactly one per resolution, however often we hear of it.
    CONSTRAINT invitation_once_per_episode UNIQUE (tenant_id, work_order, episode),
    CONSTRAINT invitation_answer CHECK ((state = 2) = (response_id IS NOT NULL AND answer_time IS NOT NULL))
);
CREATE INDEX invitation_age ON invitation (tenant_id, create_time, invitation_id);
CREATE INDEX invitation_feedback ON invitation (tenant_id, feedback);

-- What a customer answered; never changed afterwards.
CREATE TABLE response (
    tenant_id      text             NOT NULL,
    response_id    uuid             NOT NULL,
    survey_id      text             NOT NULL,
    survey_version integer          NOT NULL,
    invitation_id  uuid             NOT NULL,
    work_order     text             NOT NULL,
    episode        integer          NOT NULL,
    feedback       text             NOT NULL,
    scores         jsonb            NOT NULL,
    satisfaction   double precision NOT NULL CHECK (satisfaction BETWEEN 1 AND 5),
    solved         boolean          NOT NULL,
    comment        text             NOT NULL,
    reason         text             NOT NULL,
    reopen         boolean          NOT NULL,
    create_time    timestamptz      NOT NULL,
    PRIMARY KEY (tenant_id, response_id),
    -- The database's own word on "a token serves once".
    CONSTRAINT response_once_per_invitation UNIQUE (tenant_id, invitation_id),
    FOREIGN KEY (tenant_id, invitation_id) REFERENCES invitation (tenant_id, invitation_id)
);
CREATE INDEX response_age ON response (tenant_id, create_time, response_id);
CREATE INDEX response_work_order ON response (tenant_id, work_order, episode);
CREATE INDEX response_feedback ON response (tenant_id, feedback);
