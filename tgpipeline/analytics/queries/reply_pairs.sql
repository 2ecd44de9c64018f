-- Who answers whom?
-- Pairs of a person and the person whose messages they reply to, the most frequent first; bots and
-- replies to oneself are left out. Who writes as a group or a channel has that chat's id.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        chat_id,
        message_id,
        reply_to_message_id,
        coalesce(author_id, sender_chat_id, from_id) AS user_id,
        coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false) AS is_bot
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
)

SELECT answer.user_id, asked.user_id AS target_user_id, count(*) AS replies
FROM written AS answer
INNER JOIN written AS asked
    ON answer.chat_id = asked.chat_id AND answer.reply_to_message_id = asked.message_id
WHERE answer.day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
    AND NOT answer.is_bot
    AND NOT asked.is_bot
    AND answer.user_id <> asked.user_id
GROUP BY answer.user_id, asked.user_id
ORDER BY replies DESC, answer.user_id, asked.user_id
LIMIT 100
