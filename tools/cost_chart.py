"""Draws docs/costs.png: US dollars a month over messages a month, with and without batches.

Run it after a price in tgpipeline/deploy/costs.toml has changed: python -m tools.cost_chart
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from tgpipeline.deploy import costs

VOLUMES = [round(300 * 10 ** (step / 8)) for step in range(57)]  # 10 a day to 100 million a day


def main() -> None:
    """Draw the chart."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for batched, colour, label in (
        (False, "#0072B2", "one object per update"),
        (True, "#D55E00", "batches"),
    ):
        totals = [sum(costs.monthly(v, batched=batched).values()) for v in VOLUMES]
        axes.plot(VOLUMES, totals, color=colour, label=label)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="messages per month",
        ylabel="US dollars per month",
        title="Batches halve the bill from some millions of messages a month",
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(Path(__file__).parents[1] / "docs" / "costs.png", dpi=110)


if __name__ == "__main__":
    main()
