-- A contact store in PostgreSQL 13 or newer, in a UTF8 database: table, indexes, and the role that exports read with.
-- Only contact_id, started_at, time_zone and contact_type are required; leave out what you do not have. A recording
-- platform that keeps its contacts in tables of its own needs a view with these column names instead (docs/postgres.md).

CREATE TABLE contacts (
    contact_id                    bigint PRIMARY KEY,
    last_name                     text,
    first_name                    text,
    group_name                    text,
    team_name                     text,
    calling_number                text,
    called_number                 text,
    time_zone                     text NOT NULL,  -- IANA name, such as America/Bogota
    score                         bigint,
    reason                        text,
    recording_type                text,
    call_duration                 bigint,  -- seconds, as all durations
    agent_id                      text,
    hr                            boolean,
    training                      boolean,
    state                         text,
    contact_type                  text NOT NULL,  -- CALL NON_CALL SCREEN_ONLY EMAIL TEXT CHAT SMS
    external_party                text,
    from_address                  text,
    to_address                    text,
    subject                       text,
    evaluator_name                text,
    date_evaluated                date,
    approved_by                   text,
    evaluation_form               text,
    calibrated                    boolean,
    max_silence                   bigint,
    min_silence                   bigint,
    avg_silence                   bigint,
    total_silence                 bigint,
    silence_events                bigint,
    silence_ratio                 double precision,  -- 0 to 1, as all ratios
    max_talk_over                 bigint,
    min_talk_over                 bigint,
    avg_talk_over                 bigint,
    total_talk_over               bigint,
    talk_over_events              bigint,
    talk_over_ratio               double precision,
    hold_events                   bigint,
    min_hold                      bigint,
    max_hold                      bigint,
    total_hold                    bigint,
    avg_hold                      bigint,
    hold_ratio                    double precision,
    end_of_interaction_workflow   text,
    daily_workflow                text,
    predictive_evaluation_score   double precision,
    net_promoter_score            double precision,
    predictive_net_promoter_score double precision,
    sentiment_score               text,
    survey_score                  double precision,
    survey_name                   text,
    agent_acd_id                  text,
    associated_call_id            text,
    started_at                    timestamptz NOT NULL,  -- without a time zone it counts as UTC
    updated_at                    timestamptz,
    is_root                       boolean,  -- root recordings are never exported
    recycled                      boolean,  -- exported masked, without media
    text                          text,  -- searchable body of a transcript, chat or e-mail
    audio_uri                     text,  -- relative to contact_store.objects, or absolute
    screen_uri                    text,
    transcript_uri                text,
    audio_bytes                   bigint,
    screen_bytes                  bigint,
    metadata                      jsonb  -- an object of texts: {"account-key": "A-17"}
);

-- Every search for dates, and the order of every export: oldest first.
CREATE INDEX contacts_by_start ON contacts (started_at, contact_id);

-- Only for searches for a team over long times; other texts likewise. Texts are compared whatever their case and
-- composition, so an index must hold them as filters compare them. A server built without ICU (PostgreSQL 17 or newer)
-- takes "pg_c_utf8" in place of "und-x-icu".
CREATE INDEX contacts_by_team ON contacts (
    (replace(replace(lower(replace(
        (CASE WHEN team_name COLLATE "C" ~ '[^\u0001-\u02FF]' THEN normalize(team_name, NFC) ELSE team_name END),
        'İ', 'i') COLLATE "und-x-icu"), 'ß', 'ss'), 'ς', 'σ')),
    started_at
);

-- What the Airflow connection signs in as. Give it a password with \password in psql.
CREATE ROLE bulk_export LOGIN;
ALTER ROLE bulk_export SET default_transaction_read_only = on;
GRANT SELECT ON contacts TO bulk_export;
