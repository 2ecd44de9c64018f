-- How many messages are written each day?
-- Everybody's, without service messages; a day without any has no row.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        from_id,
        coalesce(from_is_bot, false) AND sender_chat_id IS NULL AS by_bot
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id)
        AND NOT coalesce(is_service, false)
        AND sent_at IS NOT NULL
)

SELECT
    day,
    count(*) AS messages,
    count(*) FILTER (WHERE NOT by_bot) AS by_people,
    count(*) FILTER (WHERE by_bot) AS by_bots,
    count(DISTINCT from_id) FILTER (WHERE NOT by_bot) AS people
FROM written
WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY day
ORDER BY day
