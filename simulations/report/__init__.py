"""What an experiment found, as one HTML page that opens anywhere and years later.

It exists so that a planner can read, print and pass on a result without a cluster, a server or
a network. Experiments say *what* (`document`), this package says *how it looks* (`render`).
It must not compute results: a figure that is not in the document is not on the page.

    document    the values a page is made of                                      pure
    numbers     figures as a planner reads them                                   pure
    scales      round ticks, and lengths on paper                                 pure
    palette     colours and dashes that survive colour-blindness and grey print   pure
    cells       a matrix made small: bins, levels, runs                           pure
    charts      a section as drawn shapes, still without any markup               pure
    render      document -> HTML text, through Jinja2
    write       HTML text -> file, whole or not at all

This package imports nothing by itself, so that building a document costs no template engine.
"""
