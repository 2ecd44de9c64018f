-- What do people and bots send: texts, photos, voices …?
-- Without service messages. edited: changed after it was sent; imported history does not tell.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        content_type,
        coalesce(from_is_bot, false) AND sender_chat_id IS NULL AS by_bot,
        edit_date
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id)
        AND NOT coalesce(is_service, false)
        AND sent_at IS NOT NULL
)

SELECT
    content_type,
    count(*) AS messages,
    count(*) FILTER (WHERE NOT by_bot) AS by_people,
    count(*) FILTER (WHERE by_bot) AS by_bots,
    count(edit_date) AS edited
FROM written
WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY content_type
ORDER BY messages DESC, content_type
