-- Who answers for each group?
-- Administrators whose promotion the lake has seen, who writes as the group itself, and who replied to
-- at least 5 different people and to 2 % of all. All of the lake is read: who is an agent does not
-- depend on the period. Imported history does not know bots as such, so one message tells of all.
WITH spoken AS (
    SELECT
        group_id,
        chat_id,
        message_id,
        reply_to_message_id,
        coalesce(author_id, sender_chat_id, from_id) AS user_id,
        coalesce(author_kind = 'chat', sender_chat_id IS NOT NULL) AS as_chat,
        bool_or(coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false))
            OVER (PARTITION BY coalesce(author_id, sender_chat_id, from_id)) AS is_bot
    FROM messages
    WHERE 0 /* :chat */ IN (0, group_id)
        AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service OR from_id = 777000, false)
),

people AS (
    SELECT * FROM spoken WHERE NOT is_bot AND user_id IS NOT NULL
),

sizes AS (
    SELECT group_id, count(DISTINCT user_id) AS people FROM people GROUP BY group_id
),

answered AS (
    SELECT answer.group_id, answer.user_id, count(DISTINCT asked.user_id) AS people
    FROM people AS answer
    INNER JOIN people AS asked
        ON answer.chat_id = asked.chat_id AND answer.reply_to_message_id = asked.message_id
    WHERE answer.user_id <> asked.user_id
    GROUP BY answer.group_id, answer.user_id
)

SELECT group_id, target_user_id AS user_id, 'administrator' AS why
FROM events
WHERE event_type = 'chat_member'
    AND new_value IN ('administrator', 'creator')
    AND 0 /* :chat */ IN (0, group_id)
UNION
SELECT group_id, user_id, 'writes as the group' AS why
FROM people
WHERE as_chat AND user_id = chat_id
UNION
SELECT answered.group_id, answered.user_id, 'answers many' AS why
FROM answered
INNER JOIN sizes ON answered.group_id = sizes.group_id
WHERE answered.people >= greatest(5, 0.02 * sizes.people)
ORDER BY group_id, user_id, why
