"""One chart a question: a DataFrame as `Engine.query` or `metrics` gave it → a `Chart`.

A chart takes the answer of the question of its name, unless it says another. Its title states what
it shows, in numbers; axes say their units; the same thing has the same colour in all charts; it
carries the numbers that it draws. No function touches pyplot, so no figure stays open.
"""

from tgpipeline.analytics.charts.people import (
    active_people,
    calendar,
    concentration,
    joins_and_leaves,
    new_and_returning,
    weekly_retention,
)
from tgpipeline.analytics.charts.style import Chart
from tgpipeline.analytics.charts.support import (
    better_bot,
    frequent_problems,
    outcomes,
    reactions,
    response_times,
    unanswered,
)
from tgpipeline.analytics.charts.volume import (
    before_and_after,
    message_length_per_day,
    messages_by_content_type,
    messages_by_hour_and_weekday,
    messages_by_topic,
    messages_per_day,
    messages_per_user_per_day,
    questions_by_hour,
    visits_by_hour,
)

__all__ = [
    "Chart", "active_people", "before_and_after", "better_bot", "calendar", "concentration",
    "frequent_problems", "joins_and_leaves", "message_length_per_day",
    "messages_by_content_type", "messages_by_hour_and_weekday", "messages_by_topic",
    "messages_per_day", "messages_per_user_per_day", "new_and_returning", "outcomes",
    "questions_by_hour", "reactions", "response_times", "unanswered", "visits_by_hour",
    "weekly_retention",
]  # fmt: skip
