-- What was said, by whom, in answer to what?
-- What conversations are made of: people's and bots' messages from 4 days before the period, so
-- that what goes on is not taken for new, to 16 days after it, to see how they end. Left out is what
-- Telegram wrote or copied into the group. message_thread_id is that of a topic, or of the comments
-- under a post of a linked channel; threads of replies are neither.
WITH spoken AS (
    SELECT
        *,
        coalesce(author_kind, CASE
            WHEN is_service OR from_id = 777000 THEN 'telegram'
            WHEN sender_chat_id IS NOT NULL THEN 'chat'
            WHEN from_is_bot THEN 'bot'
            ELSE 'person'
        END) AS kind,
        bool_or(is_comment) OVER (PARTITION BY chat_id, message_thread_id) AS is_in_comments
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '4' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '16' DAY
        AND 0 /* :chat */ IN (0, group_id)
        AND sent_at IS NOT NULL
)

SELECT
    group_id,
    chat_id,
    message_id,
    CASE WHEN is_topic_message OR is_in_comments THEN message_thread_id END AS message_thread_id,
    "date",
    CAST(
        from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS timestamp
    ) AS local_time,
    coalesce(author_id, sender_chat_id, from_id) AS user_id,
    kind = 'bot' AS is_bot,
    kind = 'chat' AS as_chat,
    source,
    from_first_name AS first_name,
    from_username AS username,
    reply_to_message_id,
    content_type,
    bot_command,
    coalesce(text, caption) AS text,
    coalesce(author_id, sender_chat_id, from_id) AS author_id,
    kind AS author_kind,
    topic_name,
    is_in_comments,
    media_group_id
FROM spoken
WHERE kind <> 'telegram' AND lower(coalesce(bot_command, '')) NOT IN ('/privacy', '/forget')
ORDER BY "date", message_id
