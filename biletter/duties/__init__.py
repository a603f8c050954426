"""The duties of the Procfile: each module builds one process out of the parts and runs it."""
