-- Which sites are linked to most?
-- Links that people wrote out in texts and captions, by their host without www; bots are left out.
WITH written AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        coalesce(author_id, sender_chat_id, from_id) AS user_id,
        regexp_extract_all(
            lower(coalesce(text, caption)), 'https?://(?:www\.)?([a-z0-9.-]+\.[a-z]{2,})', 1
        ) AS hosts
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
        AND NOT coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false)
)

SELECT host AS domain, count(*) AS links, count(DISTINCT user_id) AS people
FROM written
CROSS JOIN UNNEST(hosts) AS t (host)
WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY host
ORDER BY links DESC, host
LIMIT 100
