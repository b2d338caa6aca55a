-- The knowledge base (知识库, 003-06).
CREATE TABLE article (
    tenant_id     text        NOT NULL,
    article_id    uuid        NOT NULL,
    locale        text        NOT NULL, -- of its first version
    last_version  integer     NOT NULL,
    shown_version integer     NOT NULL, -- in lists: of its first version's language, the published one, else the newest
    revision      integer     NOT NULL,
    used          bigint      NOT NULL DEFAULT 0, -- in all versions, as the next two
    helped        bigint      NOT NULL DEFAULT 0,
    not_helped    bigint      NOT NULL DEFAULT 0,
    create_time   timestamptz NOT NULL,
    update_time   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, article_id)
);
CREATE INDEX article_by_creation ON article (tenant_id, create_time, article_id);
CREATE INDEX article_by_update ON article (tenant_id, update_time, article_id);
CREATE INDEX article_by_use ON article (tenant_id, used, article_id);

-- What was written. Only state, publisher, publish_time and the counts change.
CREATE TABLE article_version (
    tenant_id      text        NOT NULL,
    article_id     uuid        NOT NULL,
    version        integer     NOT NULL CHECK (version > 0),
    kind           integer     NOT NULL, -- ArticleKind
    locale         text        NOT NULL,
    title          text        NOT NULL,
    body           text        NOT NULL,
    categories     text[]      NOT NULL,
    product_models text[]      NOT NULL,
    product_keys   text[]      NOT NULL, -- the same, folded: by these they are compared
    keywords       text[]      NOT NULL,
    audience       integer     NOT NULL, -- ArticleAudience
    change_reason  text        NOT NULL,
    state          integer     NOT NULL, -- ArticleState
    author         text        NOT NULL,
    publisher      text        NOT NULL DEFAULT '',
    used           bigint      NOT NULL DEFAULT 0,
    helped         bigint      NOT NULL DEFAULT 0,
    not_helped     bigint      NOT NULL DEFAULT 0,
    create_time    timestamptz NOT NULL,
    publish_time   timestamptz,
    PRIMARY KEY (tenant_id, article_id, version),
    FOREIGN KEY (tenant_id, article_id) REFERENCES article (tenant_id, article_id)
);
-- Of each language one is published at most.
CREATE UNIQUE INDEX article_version_published ON article_version (tenant_id, article_id, locale) WHERE state = 2;

-- What published versions are found by (ADR 7).
CREATE TABLE article_term (
    tenant_id  text             NOT NULL,
    term       text COLLATE "C" NOT NULL,
    article_id uuid             NOT NULL,
    version    integer          NOT NULL,
    weight     real             NOT NULL,
    PRIMARY KEY (tenant_id, term, article_id, version),
    FOREIGN KEY (tenant_id, article_id, version) REFERENCES article_version (tenant_id, article_id, version)
);
CREATE INDEX article_term_by_version ON article_term (tenant_id, article_id, version);

-- Which version took the place of which, for rollbacks.
CREATE TABLE article_publication (
    tenant_id        text        NOT NULL,
    article_id       uuid        NOT NULL,
    revision         integer     NOT NULL, -- the article's, that it made
    locale           text        NOT NULL,
    version          integer     NOT NULL, -- 0 where one was withdrawn
    replaced_version integer     NOT NULL, -- 0 for none
    author           text        NOT NULL,
    taken_back       boolean     NOT NULL DEFAULT false,
    create_time      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, article_id, revision),
    FOREIGN KEY (tenant_id, article_id) REFERENCES article (tenant_id, article_id)
);

-- Who used which version, for which feedback, and whether it helped.
CREATE TABLE article_use (
    tenant_id   text        NOT NULL,
    use_id      uuid        NOT NULL,
    article_id  uuid        NOT NULL,
    version     integer     NOT NULL,
    outcome     integer     NOT NULL, -- ArticleOutcome
    author      text        NOT NULL,
    feedback    text        NOT NULL, -- its name; empty for none
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, use_id),
    FOREIGN KEY (tenant_id, article_id, version) REFERENCES article_version (tenant_id, article_id, version)
);
CREATE UNIQUE INDEX article_use_once ON article_use (tenant_id, article_id, version, feedback, author) WHERE feedback <> '';
-- Erasure looks here.
CREATE INDEX article_use_by_feedback ON article_use (tenant_id, feedback) WHERE feedback <> '';
