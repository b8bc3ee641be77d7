from __future__ import annotations
def render_rehearsal(subject, *, zone, made):
    return "TODO"
