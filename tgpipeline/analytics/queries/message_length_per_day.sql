-- How long are the messages that people write each day, in characters?
-- Texts and captions of people; bots, service messages and messages without text are left out.
-- pNN is the shortest length that NN % of the day's messages do not exceed (nearest rank).
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        length(coalesce(text, caption)) AS characters
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
        AND NOT coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false)
        AND coalesce(text, caption) IS NOT NULL
),

daily AS (
    SELECT
        day,
        count(*) AS messages,
        avg(characters) AS average,
        array_agg(characters ORDER BY characters) AS lengths
    FROM written
    WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
    GROUP BY day
)

SELECT
    day,
    messages,
    average,
    element_at(lengths, CAST(ceil(0.50 * messages) AS bigint)) AS p50,
    element_at(lengths, CAST(ceil(0.75 * messages) AS bigint)) AS p75,
    element_at(lengths, CAST(ceil(0.90 * messages) AS bigint)) AS p90,
    element_at(lengths, CAST(ceil(0.99 * messages) AS bigint)) AS p99
FROM daily
ORDER BY day
