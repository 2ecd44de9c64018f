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

calendar AS (
    SELECT CAST(days.day AS date) AS day
    FROM UNNEST(sequence(
        DATE '2025-11-10' /* :start */, DATE '2025-12-09' /* :end */, INTERVAL '1' DAY
    )) AS days (day)
),

daily AS (
    SELECT
        calendar.day >= DATE '2025-11-28' /* :cut */ AS is_after,
        count(written.day) AS messages,
        count(DISTINCT written.user_id) AS people
    FROM calendar
    LEFT JOIN written ON calendar.day = written.day
    GROUP BY calendar.day
)

SELECT
    is_after,
    count(*) AS days,
    count(*) FILTER (WHERE messages > 0) AS active_days,
    sum(messages) AS messages,
    avg(messages) AS messages_per_day,
    stddev_pop(messages) AS deviation,
    avg(people) AS people_per_day
FROM daily
GROUP BY is_after
HAVING sum(messages) > 0
ORDER BY is_after
