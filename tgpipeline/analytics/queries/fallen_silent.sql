-- Who wrote every week and has fallen silent?
-- People who wrote in each of the four weeks before the last three weeks of the period, and not
-- once in those three. Reads 51 days before the end, so the period may be shorter.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        coalesce(author_id, sender_chat_id, from_id) AS user_id
    FROM messages
    WHERE context_date BETWEEN DATE '2025-12-09' /* :end */ - INTERVAL '51' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
        AND NOT coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false)
),

aged AS (
    SELECT user_id, day, date_diff('day', day, DATE '2025-12-09' /* :end */) AS age
    FROM written
    WHERE day <= DATE '2025-12-09' /* :end */
        AND DATE '2025-11-10' /* :start */ <= DATE '2025-12-09' /* :end */
)

SELECT user_id, count(*) AS messages, max(day) AS last_day, min(age) AS days_silent
FROM aged
WHERE user_id IS NOT NULL AND age < 49
GROUP BY user_id
HAVING min(age) >= 21 AND count(DISTINCT CAST(floor((age - 21) / 7) AS integer)) = 4
ORDER BY messages DESC, user_id
