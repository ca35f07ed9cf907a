"""The dashboard: a terminal client of the running show."""
