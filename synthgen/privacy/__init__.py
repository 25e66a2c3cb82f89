"""Differential privacy: noise, its accounting, and a schema and encoder that may be shared.

Two tables are neighbours if one has an empty row where the other has a row ("zero-out" or
add-or-remove-one-row; the number of rows is public). A query that puts every row into at most one
bin changes by at most 1 between neighbours.
"""
