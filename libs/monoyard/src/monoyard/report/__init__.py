"""Says what happens and what came of it: subscribers of run events, and the plan in print.

Each kind of report is a front door of its own: who prints one need not load all.
"""
