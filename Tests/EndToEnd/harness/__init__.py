"""The tools of the end-to-end tests: weir as a process, origins, clients, and waiting for conditions."""
