-- How many people are active in a day, a week, a month?
-- Who wrote on that day (daily), in the 7 days up to it (weekly), in the 28 up to it (monthly).
-- In the first 27 days of the lake, weeks and months are not yet whole.
WITH written AS (
    SELECT DISTINCT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        coalesce(author_id, sender_chat_id, from_id) AS user_id
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '30' DAY
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
    calendar.day,
    count(DISTINCT CASE WHEN written.day = calendar.day THEN user_id END) AS daily,
    count(
        DISTINCT CASE WHEN written.day > calendar.day - INTERVAL '7' DAY THEN user_id END
    ) AS weekly,
    count(DISTINCT user_id) AS monthly
FROM calendar
LEFT JOIN written
    ON written.day > calendar.day - INTERVAL '28' DAY AND written.day <= calendar.day
GROUP BY calendar.day
ORDER BY calendar.day
