"""The default scheduler's plugins that filter or score, one a module.

Each answers for all slots at once whether a pod may go there (`fits`), and for the candidates how
good they are after its own normalisation, before the profile's weight (`score`; None: it has
nothing to say about this pod). A plugin must not look at another plugin's answer.
"""
