-- At which hours of which weekdays do people write?
-- People only, without service messages. weekday: 1 is Monday, 7 is Sunday. Hours are local.
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
)

SELECT
    day_of_week(local_time) AS weekday,
    hour(local_time) AS hour,
    count(*) AS messages
FROM written
WHERE CAST(local_time AS date) BETWEEN DATE '2025-11-10' /* :start */
    AND DATE '2025-12-09' /* :end */
GROUP BY 1, 2
ORDER BY 1, 2
