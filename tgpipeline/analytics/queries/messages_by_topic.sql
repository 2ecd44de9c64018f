-- Which topics of the forum are written in?
-- A topic's id is that of the service message that opened it; null is the General topic, or a group
-- that is no forum. Telegram numbers threads of replies in the same field: they are no topics.
-- People only. topic_name: the last one that the period's messages tell.
WITH in_topics AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        group_id,
        CASE WHEN is_topic_message THEN message_thread_id END AS message_thread_id,
        CASE WHEN topic_name IS NOT NULL THEN "date" END AS named,
        content_type = 'forum_topic_edited' AS is_renamed,
        topic_name,
        coalesce(author_id, sender_chat_id, from_id) AS user_id,
        NOT coalesce(author_kind = 'telegram', is_service, false)
        AND NOT coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false)
            AS by_person
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
)

SELECT
    group_id,
    message_thread_id,
    count(*) FILTER (WHERE by_person) AS messages,
    count(DISTINCT user_id) FILTER (WHERE by_person) AS people,
    min(day) FILTER (WHERE by_person) AS first_day,
    max(day) FILTER (WHERE by_person) AS last_day,
    coalesce(
        max_by(topic_name, named) FILTER (WHERE is_renamed), -- the other messages tell the first one
        max_by(topic_name, named)
    ) AS topic_name
FROM in_topics
WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY 1, 2
HAVING count(*) FILTER (WHERE by_person) > 0
ORDER BY messages DESC, 1, 2
