"""Does it help, for labelled images: what differs from tables. Jobs, records, statistics, schedule
and verdict are the same."""
