-- What changed on a date?
-- People's messages a day, on the days before `cut` and from `cut` on. Days without any count as 0;
-- deviation is the standard deviation of the days.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        coalesce(author_id, sender_chat_id, from_id) AS user_id
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
        AND NOT coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false)
),

daily AS (
    SELECT
        day,
        day >= DATE '2025-11-28' /* :cut */ AS is_after,
        count(*) AS messages,
        count(DISTINCT user_id) AS people
    FROM written
    WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
    GROUP BY day
),

sides AS (
    SELECT
        is_after,
        count(*) AS active_days,
        sum(messages) AS messages,
        CAST(sum(messages * messages) AS double) AS squares,
        sum(people) AS person_days,
        CASE WHEN is_after
            THEN date_diff('day', DATE '2025-11-28' /* :cut */, DATE '2025-12-09' /* :end */) + 1
            ELSE date_diff('day', DATE '2025-11-10' /* :start */, DATE '2025-11-28' /* :cut */)
        END AS days
    FROM daily
    GROUP BY is_after
)

SELECT
    is_after,
    days,
    active_days,
    messages,
    CAST(messages AS double) / days AS messages_per_day,
    sqrt(greatest(squares / days - power(CAST(messages AS double) / days, 2), 0)) AS deviation,
    CAST(person_days AS double) / days AS people_per_day
FROM sides
ORDER BY is_after
