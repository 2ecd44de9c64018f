-- Of the people who first wrote in a week, how many write in the weeks after it?
-- A cohort is the people whose first message in the lake is in that week (Monday to Sunday). Only
-- weeks that the period holds whole count as later weeks. Reads all days up to the end.
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

weeks AS (
    SELECT DISTINCT CAST(date_trunc('week', day) AS date) AS week, user_id
    FROM written
    WHERE day <= DATE '2025-12-09' /* :end */
),

cohorts AS (
    SELECT user_id, min(week) AS cohort
    FROM weeks
    GROUP BY user_id
),

sizes AS (
    SELECT cohort, count(*) AS size
    FROM cohorts
    GROUP BY cohort
)

SELECT
    cohorts.cohort,
    date_diff('week', cohorts.cohort, weeks.week) AS weeks_later,
    count(*) AS people,
    max(sizes.size) AS cohort_size
FROM cohorts
INNER JOIN weeks ON cohorts.user_id = weeks.user_id
INNER JOIN sizes ON cohorts.cohort = sizes.cohort
WHERE cohorts.cohort >= CAST(date_trunc('week', DATE '2025-11-10' /* :start */) AS date)
    AND (
        weeks.week + INTERVAL '6' DAY <= DATE '2025-12-09' /* :end */
        OR weeks.week = cohorts.cohort
    )
GROUP BY 1, 2
ORDER BY 1, 2
