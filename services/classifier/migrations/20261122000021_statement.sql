-- What was read of each feedback: its masked text with what was stated beside it, so that it can be read anew by another version.
-- A row of its own, so that lists do not carry texts and erasure takes nothing else with it. Feedback from before has none.
CREATE TABLE statement (
    tenant_id         text    NOT NULL,
    classification_id uuid    NOT NULL,
    text              text    NOT NULL, -- masked
    stated_impact     integer NOT NULL, -- 0 where it was not stated
    emotion_level     integer NOT NULL, -- 0 where it was not stated
    PRIMARY KEY (tenant_id, classification_id),
    FOREIGN KEY (tenant_id, classification_id) REFERENCES classification (tenant_id, classification_id) ON DELETE CASCADE
);
