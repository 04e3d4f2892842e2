-- What decisions say, as far as the report counts it; of most decisions another has said the same.
CREATE TABLE gists (
    id    INTEGER PRIMARY KEY,
    given INTEGER NOT NULL,         -- 1 where it is a verdict, 0 where it asks or the policy does not speak of the ticket
    gist  TEXT    NOT NULL UNIQUE   -- JSON
);

-- What each decision counts as. Without `opens` it does not count: it was not carried out.
CREATE TABLE counted (
    decision_id INTEGER PRIMARY KEY, -- its id
    decided_at  INTEGER NOT NULL,
    gist       INTEGER NOT NULL REFERENCES gists,
    opens      INTEGER,             -- 1 where it is its ticket's first
    settles    INTEGER,             -- 1 where it is its ticket's first verdict
    waited     INTEGER,             -- with settles: seconds from the ticket's first delivery to its note
    opinion    TEXT                 -- the newest: agree, disagree
);
CREATE INDEX counted_disagreed ON counted (decided_at, decision_id) WHERE opinion = 'disagree' AND opens IS NOT NULL;

-- How many decisions of which day said what. Days are since 1970, UTC.
CREATE TABLE sums (
    day       INTEGER NOT NULL,
    gist      INTEGER NOT NULL REFERENCES gists,
    decisions INTEGER NOT NULL,
    tickets   INTEGER NOT NULL,     -- that were their ticket's first
    saved     INTEGER NOT NULL,     -- that were their ticket's first verdict, and nobody disagreed
    agreed    INTEGER NOT NULL,
    disagreed INTEGER NOT NULL,
    PRIMARY KEY (day, gist)
) WITHOUT ROWID;

-- How many first verdicts of which day were waited for how long.
CREATE TABLE waits (
    day     INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    tickets INTEGER NOT NULL,
    PRIMARY KEY (day, seconds)
) WITHOUT ROWID;

-- What was decided before, counted.
CREATE TEMP VIEW said AS
SELECT id, verdict NOT IN ('needs_facts', 'not_applicable') AS given, json_object(
    'verdict', verdict,
    'request', (SELECT value ->> 'answer' FROM json_each(whole, '$.path') WHERE value ->> 'fact' = 'request' LIMIT 1),
    'workflow', whole ->> 'workflow',
    'asked', json((SELECT json_group_array(json_array(coalesce(value ->> 'fact', ''), coalesce(value ->> 'question', '')))
        FROM json_each(whole, '$.missing'))),
    'nodes', json((SELECT json_group_array(json_array(coalesce(value ->> 'node', ''), coalesce(value ->> 'text', '')))
        FROM (SELECT value FROM json_each(whole, '$.path') UNION ALL SELECT value FROM json_each(whole, '$.beyond')))),
    'sources', json((SELECT json_group_array(DISTINCT CASE
            WHEN value ->> 'trust' = 'stated' THEN 'a manager''s answer'
            WHEN value ->> 'trust' = 'inferred' THEN 'the customer''s words'
            WHEN instr(value ->> 'source', ' of grace') > 0 THEN 'reckoned from the expiry'
            ELSE trim(substr(value ->> 'source', 1, min(
                instr((value ->> 'source') || ':', ':'), instr((value ->> 'source') || '(', '('), instr((value ->> 'source') || ',', ',')) - 1))
        END) FROM (SELECT value FROM json_each(whole, '$.path') UNION ALL SELECT value FROM json_each(whole, '$.beyond'))
        WHERE value ->> 'source' IS NOT NULL))
) AS gist
FROM (SELECT id, verdict, CASE WHEN json_valid(decision) THEN decision ELSE '{}' END AS whole FROM decisions);
INSERT INTO gists (given, gist) SELECT given, gist FROM said WHERE TRUE ON CONFLICT DO NOTHING;
INSERT INTO counted (decision_id, decided_at, gist, opinion)
SELECT decisions.id, decided_at, gists.id,
    (SELECT iif(opinion = 'agree', 'agree', 'disagree') FROM feedback
     WHERE feedback.account = decisions.account AND feedback.ticket = decisions.ticket AND feedback.reference = decisions.reference
     ORDER BY said_at DESC, feedback.id DESC LIMIT 1)
FROM said CROSS JOIN gists ON gists.gist = said.gist CROSS JOIN decisions ON decisions.id = said.id;
DROP VIEW said;
UPDATE counted SET opens = placed.opens, settles = placed.settles FROM (
    SELECT decisions.id,
        row_number() OVER (PARTITION BY account, ticket ORDER BY decisions.id) = 1 AS opens,
        given = 1 AND sum(given) OVER (PARTITION BY account, ticket ORDER BY decisions.id) = 1 AS settles
    FROM decisions JOIN counted ON decision_id = decisions.id JOIN gists ON gists.id = counted.gist
    WHERE carried IN ('posted', 'shadow')
) AS placed WHERE placed.id = decision_id;
UPDATE counted SET waited = told.seconds FROM (
    SELECT decisions.id, (posted_at - (SELECT min(received_at) FROM deliveries
        WHERE deliveries.account = decisions.account AND deliveries.ticket = decisions.ticket)) / 1000 AS seconds
    FROM counted JOIN decisions ON decisions.id = decision_id WHERE settles = 1 AND posted_at IS NOT NULL
) AS told WHERE told.id = decision_id AND told.seconds >= 0;
INSERT INTO sums SELECT decided_at / 86400000, gist, count(*), sum(opens), sum(settles AND opinion IS NOT 'disagree'),
    sum(opinion IS 'agree'), sum(opinion IS 'disagree') FROM counted WHERE opens IS NOT NULL GROUP BY 1, 2;
INSERT INTO waits SELECT decided_at / 86400000, waited, count(*) FROM counted WHERE waited IS NOT NULL GROUP BY 1, 2;
