-- Which topics of the forum are written in?
-- A topic's id is that of the service message that opened it; null is the General topic, or a group
-- that is no forum. Telegram numbers threads of replies in the same field: they are no topics.
-- People only.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        group_id,
        CASE WHEN is_topic_message THEN message_thread_id END AS message_thread_id,
        coalesce(sender_chat_id, from_id) AS user_id
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id)
        AND NOT coalesce(is_service, false)
        AND NOT (coalesce(from_is_bot, false) AND sender_chat_id IS NULL)
        AND sent_at IS NOT NULL
)

SELECT
    group_id,
    message_thread_id,
    count(*) AS messages,
    count(DISTINCT user_id) AS people,
    min(day) AS first_day,
    max(day) AS last_day
FROM written
WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY 1, 2
ORDER BY messages DESC, 1, 2
