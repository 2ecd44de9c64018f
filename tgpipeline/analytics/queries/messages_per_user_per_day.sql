-- How many messages does each user write each day?
-- Who writes as a group or a channel (an anonymous admin) is counted under that chat's id.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        coalesce(author_id, sender_chat_id, from_id) AS user_id,
        coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false) AS is_bot
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
)

SELECT day, user_id, bool_or(is_bot) AS is_bot, count(*) AS messages
FROM written
WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY day, user_id
ORDER BY day, messages DESC, user_id
