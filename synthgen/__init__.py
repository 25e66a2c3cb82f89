"""synthgen: would synthetic data make your classifier better?"""
