-- Of the people who first wrote in a week, how many write in the weeks after it?
-- A cohort is the people whose first message in the lake is in that week (Monday to Sunday). Only
-- weeks that the period holds whole count as later weeks; one in which nobody of a cohort wrote has
-- 0 people. Reads all days up to the end.
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

counted AS (
    SELECT cohorts.cohort, weeks.week, count(*) AS people
    FROM cohorts
    INNER JOIN weeks ON cohorts.user_id = weeks.user_id
    GROUP BY cohorts.cohort, weeks.week
),

calendar AS (
    SELECT CAST(days.day AS date) AS week
    FROM UNNEST(sequence(
        CAST(date_trunc('week', DATE '2025-11-10' /* :start */) AS date),
        DATE '2025-12-09' /* :end */,
        INTERVAL '7' DAY
    )) AS days (day)
)

SELECT
    firsts.cohort,
    date_diff('week', firsts.cohort, calendar.week) AS weeks_later,
    coalesce(later.people, 0) AS people,
    firsts.people AS cohort_size
FROM counted AS firsts
INNER JOIN calendar ON firsts.cohort <= calendar.week
LEFT JOIN counted AS later
    ON firsts.cohort = later.cohort AND calendar.week = later.week
WHERE firsts.week = firsts.cohort
    AND firsts.cohort >= CAST(date_trunc('week', DATE '2025-11-10' /* :start */) AS date)
    AND (
        calendar.week + INTERVAL '6' DAY <= DATE '2025-12-09' /* :end */
        OR calendar.week = firsts.cohort
    )
ORDER BY 1, 2
