"""Does it help? Arms, learners, resampling, statistics, verdict."""
