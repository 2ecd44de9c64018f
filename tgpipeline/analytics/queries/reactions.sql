-- Which reactions are given, and to whom?
-- A reaction counts when it is set, also if it is taken back later. Telegram delivers them only if
-- the bot is an admin and asks for message_reaction; those of bots never. to_unknown: to messages
-- that the lake does not hold.
WITH given AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        chat_id,
        message_id,
        emoji
    FROM events
    CROSS JOIN UNNEST(split(new_value, ' ')) AS added (emoji)
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id)
        AND event_type = 'message_reaction'
        AND new_value IS NOT NULL
        AND NOT contains(split(coalesce(old_value, ''), ' '), emoji)
        AND sent_at IS NOT NULL
),

written AS (
    SELECT
        chat_id,
        message_id,
        coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false) AS by_bot
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '30' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id)
)

SELECT
    given.emoji,
    count(*) AS reactions,
    count(*) FILTER (WHERE NOT written.by_bot) AS to_people,
    count(*) FILTER (WHERE written.by_bot) AS to_bots,
    count(*) FILTER (WHERE written.by_bot IS NULL) AS to_unknown
FROM given
LEFT JOIN written
    ON given.chat_id = written.chat_id AND given.message_id = written.message_id
WHERE given.day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY given.emoji
ORDER BY reactions DESC, given.emoji
