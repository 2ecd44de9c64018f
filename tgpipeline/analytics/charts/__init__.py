"""One chart a question: a DataFrame as `Engine.query` or `metrics` gave it → a `Chart`.

A chart takes the answer of the question of its name, unless it says another. Its title states what
it shows, in numbers; axes say their units; the same thing has the same colour in all charts; it
carries the numbers that it draws. No function touches pyplot, so no figure stays open.
"""

from tgpipeline.analytics.charts.people import *  # noqa: F403
from tgpipeline.analytics.charts.style import Chart as Chart
from tgpipeline.analytics.charts.support import *  # noqa: F403
from tgpipeline.analytics.charts.volume import *  # noqa: F403
