-- What does a row of the table look like?
-- sent_at is local time in the zone that the ETL was given, local_time in the zone asked for.
SELECT
    update_id,
    message_id,
    sent_at,
    CAST(
        from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS timestamp
    ) AS local_time,
    context_date,
    group_id,
    chat_id,
    chat_type,
    from_id,
    from_is_bot,
    author_kind,
    content_type,
    text,
    reply_to_message_id,
    edit_date
FROM messages
WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
    AND 0 /* :chat */ IN (0, group_id)
    AND sent_at IS NOT NULL
ORDER BY "date", message_id
LIMIT 10
