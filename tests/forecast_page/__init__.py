"""The page docs/explanation/forecasts-of-public-demand.md: how well public demand is forecast.

It is made of what `make prove` recorded, and a test holds it to that. Nothing here may forecast.
"""
