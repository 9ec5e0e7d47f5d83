"""Protection, pure, and apart from the limiter: elements, trip latch, lockout, supervisor, time budgets."""
