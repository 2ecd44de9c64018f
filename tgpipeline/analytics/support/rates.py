"""Rates with their intervals, and what each measure means.

Every rate is a `Rate`: numerator, denominator, 95 % interval. What the lake cannot know is a rate
of nothing with a note that says why, never 0 %. `DEFINITIONS` says what each measure means.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

NO_BOT = (
    "the lake holds no message of a bot: a bot gets no updates for what it says itself, so archive "
    "it, with Bot.send_message(…, archive=lake.archive(settings))"
)
NO_SIGNALS = (
    "only thanks in words count: no reaction and no pressed button came in this period (they need "
    "message_reaction and callback_query in allowed_updates, reactions also an admin bot)"
)
NO_AUTHORS = "imported history does not say who is a bot: all of its authors count as people"
DEFINITIONS = {
    "conversation": "A customer's question or named problem with all that belongs to it: replies, "
    "then what is near in the same chat and topic. It ends after 6 hours of silence, or 72 hours "
    "while nobody has answered.",
    "agent": "Who answers for the group: those given; else administrators the lake knows of, and "
    "who replied to at least 5 different people and 2 % of all. If there is none, whoever replies "
    "to another's question answers it.",
    "answered": "Conversations in which the bot or an agent wrote after the question, of all.",
    "answered_by_bot": "Conversations in which the bot wrote after the question, of all.",
    "solved": "Conversations that ended with an answer after which the customer gave thanks, a "
    "good reaction, the yes button, or said nothing against it, of all. Silence counts as content.",
    "solved_by_bot": "Solved with no word from a person and none asked for, of those that the bot "
    "answered.",
    "handed": "An agent wrote, or was asked for, after the bot had answered; of those that the bot "
    "answered.",
    "reopened": "Solved conversations whose customer asked about the same problem again within 7 "
    "days, of those solved.",
    "durable": "Solved conversations that were not reopened for 7 days, of those that ended at "
    "least 7 days before the lake's last message.",
    "satisfied": "Thanks, good reactions and yes buttons, of those and complaints; the silent "
    "are left out.",
    "unanswered": "Questions and named problems of at least 24 hours after which neither the bot "
    "nor an agent wrote (no reply; members only: other members did), or for which a person was "
    "asked and none came. Small talk with a question mark counts too: whom a question is meant "
    "for is not written anywhere.",
    "first_response": "Seconds from the question to the first message of the bot or an agent in "
    "the conversation. Who got none counts as waiting for as long as the lake knows, 72 hours at "
    "most (Kaplan and Meier): the median is when half of all have an answer. For a person wait "
    "those to whom one wrote, who asked for one, or whom the bot did not answer.",
    "minutes": "An agent's minutes: for each message the time since that agent's message before "
    "it, wherever it was, at most 5 minutes.",
    "same_answer": "Conversations whose longest answer by an agent is near the most typical one "
    "of the problem (cosine of TF-IDF of words at least 0.4), of the others that an agent answered "
    "(the latest 2,000 of each problem).",
    "busiest": "The three bands of three hours with most questions, chosen on every other day of "
    "the period; their share is counted on the days between, so that it is not flattered.",
    "trend": "New, rising, falling: conversations of the last 7 days and the 7 before, where the "
    "period holds both. Held against all ways to deal these 14 days into two weeks, and corrected "
    "for the number of problems (Benjamini and Hochberg, at 2.5 %).",
    "silence": "Of the bot: pauses between two of its messages in which so much was asked that "
    "chance cannot explain them (below 1 % for all pauses, by its share of answers on days on "
    "which it writes). Of data: days without a message, where days of that weekday have 5 or more.",
    "visits": "A person in an hour of a day, however many messages they write in it.",
    "interval": "95 % Wilson score interval, widened by how alike the cases of one person and of "
    "one day are.",
}


@dataclass(frozen=True)
class Rate:
    """A share with what it is made of.

    Attributes:
        numerator: how many.
        denominator: of how many.
        design: by how much cases that are alike widen the variance: see `statistics.clustered`.
    """

    numerator: int
    denominator: int
    design: float = 1.0

    @property
    def share(self) -> float:
        """The share; NaN of nothing."""
        return self.numerator / self.denominator if self.denominator else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval of as many independent cases as these are worth.

        All of 0 to 1 where nothing is known.

        Source: https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval

        >>> [round(bound, 3) for bound in Rate(8, 10).interval]
        [0.49, 0.943]
        """
        n, z = self.denominator / self.design, 1.959963984540054
        if not n:
            return 0.0, 1.0
        p = self.share
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        """The share with its interval and its counts.

        >>> print(Rate(8, 10))
        80% (8 of 10; 95% interval 49% to 94%)
        """
        if not self.denominator:
            return "unknown (0 of 0)"
        low, high = self.interval
        counts = f"{self.numerator:,} of {self.denominator:,}"
        return f"{self.share:.0%} ({counts}; 95% interval {low:.0%} to {high:.0%})"


def rates(found: Mapping[str, tuple[Rate, str]]) -> pd.DataFrame:
    """Rates as a table: measure, numerator, denominator, share, low, high, note, definition."""
    rows = []
    for measure, (rate, note) in found.items():
        low, high = rate.interval if rate.denominator else (math.nan, math.nan)
        rows.append((measure, rate.numerator, rate.denominator, rate.share, low, high, note,
                     DEFINITIONS.get(measure, "")))  # fmt: skip
    names = "measure numerator denominator share low high note definition".split()
    return pd.DataFrame(rows, columns=names)
