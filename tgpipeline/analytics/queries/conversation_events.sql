-- What else happened to messages: reactions, buttons pressed, who became an administrator?
SELECT
    event_type,
    group_id,
    chat_id,
    message_id,
    from_id,
    target_user_id,
    "date",
    CASE
        WHEN sent_at IS NOT NULL
            THEN CAST(
                from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS timestamp
            )
    END AS local_time, -- a pressed button bears no date
    old_value,
    new_value
FROM events
WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '4' DAY
        AND DATE '2025-12-09' /* :end */ + INTERVAL '16' DAY
    AND 0 /* :chat */ IN (0, group_id)
    AND (
        event_type IN ('message_reaction', 'callback_query')
        OR (event_type = 'chat_member' AND new_value IN ('administrator', 'creator'))
    )
ORDER BY "date", message_id
