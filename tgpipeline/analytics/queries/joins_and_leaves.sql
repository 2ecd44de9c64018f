-- Who comes and who goes?
-- joined, left_group: changes of membership (chat_member updates, which need the bot to be an admin
-- and to be asked for). The notices are the service messages in the chat: large groups hide them,
-- and one notice may stand for several people. Bots that join are counted too.
WITH changes AS (
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        CASE
            WHEN (old_value IN ('left', 'kicked')) = (new_value IN ('left', 'kicked')) THEN NULL
            WHEN new_value IN ('left', 'kicked') THEN 'left'
            ELSE 'joined'
        END AS change
    FROM events
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND event_type = 'chat_member'
    UNION ALL
    SELECT
        CAST(from_unixtime("date") AT TIME ZONE 'America/Sao_Paulo' /* :timezone */ AS date) AS day,
        content_type AS change
    FROM messages
    WHERE context_date BETWEEN DATE '2025-11-10' /* :start */ - INTERVAL '2' DAY
            AND DATE '2025-12-09' /* :end */ + INTERVAL '2' DAY
        AND 0 /* :chat */ IN (0, group_id) AND sent_at IS NOT NULL
        AND content_type IN ('new_chat_members', 'left_chat_member')
)

SELECT
    day,
    count(*) FILTER (WHERE change = 'joined') AS joined,
    count(*) FILTER (WHERE change = 'left') AS left_group,
    count(*) FILTER (WHERE change = 'new_chat_members') AS join_notices,
    count(*) FILTER (WHERE change = 'left_chat_member') AS leave_notices
FROM changes
WHERE change IS NOT NULL
    AND day BETWEEN DATE '2025-11-10' /* :start */ AND DATE '2025-12-09' /* :end */
GROUP BY day
ORDER BY day
