"""``nurt check``: whether everything the service needs is there and will be there next month.

Each file looks at one thing and gives lines; nothing here raises for what it finds.
"""
