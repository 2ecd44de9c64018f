-- What can the lake know about this period?
-- Counts of what came which way; a zero here says that a question below cannot be answered.
WITH rows_of_both AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        source AS what,
        coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false) AS by_bot,
        author_kind IS NULL AND from_is_bot IS NULL AND sender_chat_id IS NULL AS unknown_author,
        edit_date IS NOT NULL AS edited
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id)
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
        AND sent_at IS NOT NULL
    UNION ALL
    SELECT
        CASE
            WHEN sent_at IS NULL THEN context_date -- a pressed button bears no date
            ELSE CAST(
                from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date
            )
        END AS day,
        event_type AS what,
        false AS by_bot,
        false AS unknown_author,
        false AS edited
    FROM events
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id)
)

SELECT
    count(*) FILTER (WHERE what IN ('webhook', 'sent', 'history')) AS messages,
    count(*) FILTER (WHERE what = 'webhook') AS from_webhook,
    count(*) FILTER (WHERE what = 'sent') AS from_own_bot,
    count(*) FILTER (WHERE what = 'history') AS from_history,
    count(*) FILTER (WHERE by_bot) AS by_bots,
    count(*) FILTER (WHERE unknown_author) AS by_unknown,
    count(*) FILTER (WHERE edited) AS edited,
    count(*) FILTER (WHERE what = 'message_reaction') AS reactions,
    count(*) FILTER (WHERE what = 'message_reaction_count') AS reaction_counts,
    count(*) FILTER (WHERE what = 'chat_member') AS member_changes,
    count(*) FILTER (WHERE what = 'callback_query') AS button_presses
FROM rows_of_both
WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
