"""Pictures of runs and studies, made for a person: units on axes, limits named, events marked."""
