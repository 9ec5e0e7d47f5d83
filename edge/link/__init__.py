"""The link process: what the spool holds goes to the portal, and leaves the spool on the portal's receipt."""
