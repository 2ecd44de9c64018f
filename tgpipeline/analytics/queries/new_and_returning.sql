-- How many of each week's people are new?
-- New: nothing in the lake from them before that week. Weeks begin on Monday; the first and the
-- last may be cut by the period. Reads all days up to the end, or the old would look new.
WITH written AS (
    SELECT DISTINCT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        coalesce(author_id, sender_chat_id, from_id) AS user_id
    FROM messages
    WHERE context_date <= DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
        AND NOT coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false)
),

firsts AS (
    SELECT user_id, CAST(date_trunc('week', min(day)) AS date) AS first_week
    FROM written
    GROUP BY user_id
),

weeks AS (
    SELECT DISTINCT CAST(date_trunc('week', day) AS date) AS week, user_id
    FROM written
    WHERE day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
)

SELECT
    weeks.week,
    count(*) AS people,
    count(*) FILTER (WHERE firsts.first_week = weeks.week) AS new_people,
    count(*) FILTER (WHERE firsts.first_week < weeks.week) AS returning_people
FROM weeks
INNER JOIN firsts ON weeks.user_id = firsts.user_id
GROUP BY weeks.week
ORDER BY weeks.week
