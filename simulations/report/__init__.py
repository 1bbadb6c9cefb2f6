"""What an experiment found, as one HTML page that opens anywhere and years later.

It exists so that a planner can read, print and pass on a result without a cluster, a server or
a network. Experiments say *what* (`document`), this package says *how it looks* (`render`).
It must not compute results: a figure that is not in the document is not on the page.

    document    the values a page is made of
    numbers     figures as a planner reads them
    scales      round ticks, and where a value lies on an axis
    palette     colours, dashes and marks, the same for a name on the whole page
    cells       a matrix made small: bins, levels, runs
    limits      what a page has room for
    tables, lines, bars, dots, heat
                a section as shapes and texts, still without markup
    render      document -> HTML text, through the templates
    write       text -> file, whole or not at all: all that touches the disk

This package imports nothing by itself, so that building a document costs no template engine.
"""
