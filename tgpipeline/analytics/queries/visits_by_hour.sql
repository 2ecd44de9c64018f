-- Which hours do people come?
-- A visit is a person in an hour of a day, however many messages they write in it: messages come
-- in bursts, visits are nearly independent of each other, so an interval of their share is honest.
-- People only; hours are local.
WITH written AS (
    SELECT
        CAST(
            from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS timestamp
        ) AS local_time,
        coalesce(author_id, sender_chat_id, from_id) AS user_id
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND NOT coalesce(author_kind = 'telegram', is_service, false)
        AND NOT coalesce(author_kind = 'bot', from_is_bot AND sender_chat_id IS NULL, false)
),

visits AS (
    SELECT
        CAST(local_time AS date) AS day,
        hour(local_time) AS hour,
        user_id,
        count(*) AS messages
    FROM written
    WHERE CAST(local_time AS date) BETWEEN DATE '2025-11-10' /* :start */
        AND DATE '2025-12-09' /* :end */
    GROUP BY 1, 2, 3
)

SELECT
    hours.hour,
    count(visits.day) AS visits,
    coalesce(sum(visits.messages), 0) AS messages,
    count(DISTINCT visits.day) AS days
FROM UNNEST(sequence(0, 23)) AS hours (hour)
LEFT JOIN visits ON hours.hour = visits.hour
GROUP BY hours.hour
ORDER BY hours.hour
