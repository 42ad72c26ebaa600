"""What the end-to-end tests stand on: weir as a process, origins in front of which it is put, clients, and waiting."""
