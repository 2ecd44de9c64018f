-- Who writes, and how much?
-- In the order in which they first wrote in the period. Who writes as a group or a channel (an
-- anonymous admin) is counted under that chat's id.
WITH written AS (
    SELECT
        "date",
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        coalesce(author_id, sender_chat_id, from_id) AS user_id,
        coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false) AS is_bot,
        concat(coalesce(from_first_name, ''), ' ', coalesce(from_last_name, '')) AS name,
        reply_to_from_id,
        reply_to_message_id
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
)

SELECT
    user_id,
    bool_or(is_bot) AS is_bot,
    max_by(name, "date") AS name,
    count(*) AS messages,
    count(reply_to_message_id) AS replies,
    count(DISTINCT reply_to_from_id) AS replied_to_people,
    count(DISTINCT day) AS active_days,
    min(day) AS first_day,
    max(day) AS last_day
FROM written
WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY user_id
ORDER BY min("date"), user_id
