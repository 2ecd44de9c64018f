-- What do people and bots send: texts, photos, voices …?
-- An album counts once, as what its first message holds; what Telegram itself wrote or copied does
-- not count. edited: changed after it was sent; imported history does not always tell. by_unknown:
-- of by_people, those of whom the lake does not know whether they are bots.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        content_type,
        media_group_id IS NULL OR row_number() OVER (
            PARTITION BY chat_id, media_group_id ORDER BY message_id
        ) = 1 AS is_first,
        coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false) AS by_bot,
        author_kind IS NULL AND from_is_bot IS NULL AND sender_chat_id IS NULL AS by_unknown,
        edit_date
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
)

SELECT
    content_type,
    count(*) AS sent,
    count(*) FILTER (WHERE NOT by_bot) AS by_people,
    count(*) FILTER (WHERE by_bot) AS by_bots,
    count(edit_date) AS edited,
    count(*) FILTER (WHERE by_unknown) AS by_unknown
FROM written
WHERE is_first AND day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY content_type
ORDER BY sent DESC, content_type
