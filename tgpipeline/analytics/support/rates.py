"""Rates with their intervals, and what each measure means.

Every rate is a `Rate`: numerator, denominator, 95 % interval. What the lake cannot know is a rate
of nothing with a note that says why, never 0 %. `DEFINITIONS` says what each measure means.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from tgpipeline.analytics.language import say

NO_BOT = (
    "the lake holds no message of a bot: a bot gets no updates for what it says itself, so archive "
    "it, with Bot.send_message(…, archive=lake.archive(settings))"
)
NO_SIGNALS = (
    "only thanks in words count: no reaction and no pressed button came in this period (they need "
    "message_reaction and callback_query in allowed_updates, reactions also an admin bot)"
)
NO_AUTHORS = "imported history does not say who is a bot: all of its authors count as people"
NOT_JUDGED = (
    "people write in a language that the rules are not written for (Portuguese, English and "
    "Spanish are): what became of a question is not judged, only who wrote when"
)
DEFINITIONS = {
    "conversation": "A customer's question or named problem with all that belongs to it: replies, "
    "then who is named, who wrote in it a moment ago, and what is near, in one chat and topic. "
    "Without a reply it goes on for 72 hours while nobody has answered, for 6 hours after that.",
    "agent": "Who answers for the group: those given; else administrators the lake knows of, and "
    "who replied to at least 5 different people and 2 % of all. If there is none, whoever replies "
    "to another's question answers it.",
    "answer": "What the bot or an agent writes, unless it only says that it did not understand, "
    "promises that somebody will answer, greets, or asks back; what another member writes, where "
    "the group has no agents or the customer takes it up. The bot's words do not answer who asked "
    "for a person. The same text to many different questions answers none.",
    "settled": "Conversations after whose last message a whole horizon (72 hours unless another "
    "is given) has passed. All rates are of these; the others are open.",
    "confirmed": "The customer said that it helped (in words, by a good reaction or the yes "
    "button), and did not come back about it within the horizon; of those settled.",
    "assumed": "There was an answer, then nothing that tells whether it helped; of those settled.",
    "not_solved": "There was an answer, and the customer complained, came back about the same "
    "within the horizon, or asked for a person and none came; of those settled.",
    "unanswered": "There was no answer; of those settled.",
    "open": "The horizon has not passed, so it is not known what becomes of them; of all.",
    "answered": "There was an answer; of those settled.",
    "solved_at_most": "Confirmed or assumed, of those settled. How many were solved lies between "
    "this share and that of the confirmed.",
    "bot_at_least": "Confirmed after an answer of the bot, with no word from a person and none "
    "asked for; of those settled in which the bot wrote.",
    "bot_at_most": "Confirmed or assumed after an answer of the bot, with no word from a person "
    "and none asked for; of those settled in which the bot wrote.",
    "handed": "An agent wrote, or was asked for, after the bot had written; of those settled in "
    "which the bot wrote.",
    "reopened": "The same customer asked about the same problem again within 7 days; of those "
    "answered of which the lake knows the 7 days after.",
    "satisfied": "Thanks, good reactions and yes buttons, of those and complaints; the silent "
    "are left out.",
    "waiting": "Questions of at least 24 hours without an answer: nobody wrote (no reply), other "
    "members did (members only), the bot or an agent did without answering (no answer), or a "
    "person was asked for and none came. Whom a question is meant for is not written anywhere, so "
    "some of what members ask each other is among them.",
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
        """The share with its interval and its counts, in the language that is set.

        >>> print(Rate(8, 10))
        80% (8 of 10; 95% interval 49% to 94%)
        """
        if not self.denominator:
            return say("unknown (0 of 0)")
        low, high = self.interval
        return say(
            "{share:.0%} ({n:,} of {of:,}; 95% interval {low:.0%} to {high:.0%})",
            share=self.share, n=self.numerator, of=self.denominator, low=low, high=high,
        )  # fmt: skip


def rates(found: Mapping[str, tuple[Rate, str]]) -> pd.DataFrame:
    """Rates as a table: measure, numerator, denominator, share, low, high, note, definition."""
    rows = []
    for measure, (rate, note) in found.items():
        low, high = rate.interval if rate.denominator else (math.nan, math.nan)
        rows.append((measure, rate.numerator, rate.denominator, rate.share, low, high, note,
                     DEFINITIONS.get(measure, "")))  # fmt: skip
    names = "measure numerator denominator share low high note definition".split()
    return pd.DataFrame(rows, columns=names)
