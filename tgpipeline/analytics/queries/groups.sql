-- Which groups does the lake know, and under which chat ids?
-- A group that became a supergroup has two chat ids; group_id is the first, whichever wrote.
SELECT
    group_id,
    chat_id,
    max_by(chat_title, "date") AS chat_title,
    max_by(chat_type, "date") AS chat_type,
    count(*) AS messages,
    min(context_date) AS first_day,
    max(context_date) AS last_day
FROM messages
WHERE chat_id IS NOT NULL
GROUP BY group_id, chat_id
ORDER BY last_day DESC, chat_id
