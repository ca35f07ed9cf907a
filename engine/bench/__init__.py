"""Measuring what needs torch; for `vj bench` only, and never imported by what paints a show."""
