"""An exhaustive walk over the guard: every state that any input leads to, every input in each of them."""
