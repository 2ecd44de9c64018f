-- At which hours of which weekdays do people write?
-- People only, without service messages. weekday: 1 is Monday, 7 is Sunday. Hours are local.
-- messages_per_day: the mean of the weekdays that the period has.
WITH written AS (
    SELECT
        CAST(
            from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS timestamp
        ) AS local_time
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
)

SELECT
    day_of_week(calendar.day) AS weekday,
    hours.hour,
    count(written.local_time) AS messages,
    CAST(count(written.local_time) AS double) / count(DISTINCT calendar.day) AS messages_per_day
FROM calendar
CROSS JOIN UNNEST(sequence(0, 23)) AS hours (hour)
LEFT JOIN written
    ON calendar.day = CAST(written.local_time AS date) AND hours.hour = hour(written.local_time)
GROUP BY 1, 2
ORDER BY 1, 2
