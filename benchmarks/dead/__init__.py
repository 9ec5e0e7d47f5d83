"""Dead and hung: what the site does when the gateway dies, hangs or runs out of something. On real processes."""
