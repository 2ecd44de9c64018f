-- How many messages are written each day?
-- Everybody's, without what Telegram itself wrote or copied; a day without any has no row.
-- by_unknown: of by_people, those of whom the lake does not know whether they are bots.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        coalesce(author_id, sender_chat_id, from_id) AS user_id,
        coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false) AS by_bot,
        author_kind IS NULL AND from_is_bot IS NULL AND sender_chat_id IS NULL AS by_unknown
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
)

SELECT
    day,
    count(*) AS messages,
    count(*) FILTER (WHERE NOT by_bot) AS by_people,
    count(*) FILTER (WHERE by_bot) AS by_bots,
    count(DISTINCT user_id) FILTER (WHERE NOT by_bot) AS people,
    count(*) FILTER (WHERE by_unknown) AS by_unknown
FROM written
WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY day
ORDER BY day
