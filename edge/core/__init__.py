"""Control, pure: the limiter (PCS law), dispatch, fallback, enter service."""
