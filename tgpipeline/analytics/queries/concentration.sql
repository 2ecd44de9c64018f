-- Do few people write most of it?
-- People in the order of how much they wrote, with what they and all before them wrote together.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        coalesce(author_id, sender_chat_id, from_id) AS user_id
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
        AND NOT coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false)
),

totals AS (
    SELECT user_id, count(*) AS messages
    FROM written
    WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
        AND user_id IS NOT NULL
    GROUP BY user_id
)

SELECT
    row_number() OVER (ORDER BY messages DESC, user_id) AS place,
    messages,
    sum(messages) OVER (
        ORDER BY messages DESC, user_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS messages_so_far
FROM totals
ORDER BY place
