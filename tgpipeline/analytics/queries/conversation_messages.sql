-- What was said, by whom, in answer to what?
-- What conversations are made of: people's and bots' messages from 2 days before the period, so
-- that what goes on is not taken for new, to 9 days after it, to see how they end. Left out are
-- posts of a linked channel, which Telegram itself (user 777000) copies into the group.
SELECT
    group_id,
    chat_id,
    message_id,
    CASE WHEN is_topic_message THEN message_thread_id END AS message_thread_id,
    "date",
    CAST(
        from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS timestamp
    ) AS local_time,
    coalesce(sender_chat_id, from_id) AS user_id,
    coalesce(from_is_bot, false) AND sender_chat_id IS NULL AS is_bot,
    sender_chat_id IS NOT NULL AS as_chat,
    source,
    from_first_name AS first_name,
    from_username AS username,
    reply_to_message_id,
    content_type,
    bot_command,
    coalesce(text, caption) AS text
FROM messages
WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
        AND DATE '2025-12-09' /* :end */ + INTERVAL '9' DAY
    AND 0 /* :chat */ IN (0, group_id)
    AND NOT coalesce(is_service, false)
    AND coalesce(from_id, 0) <> 777000
    AND sent_at IS NOT NULL
ORDER BY "date", message_id
