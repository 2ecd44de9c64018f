"""The colours of all charts: those of Okabe and Ito, which colour-blind people tell apart."""

# https://jfly.uni-koeln.de/color/
PEOPLE, BOT, AGENTS = "#0072B2", "#E69F00", "#009E73"
OPEN, OTHER, MARK = "#D55E00", "#999999", "#CC79A7"
HEAT = "cividis"
INK = "#1b1f24"  # of all text and lines; a page puts its own in its place
