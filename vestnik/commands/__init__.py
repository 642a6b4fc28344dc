"""The commands, a module per kind: they read options, call the program and print."""
