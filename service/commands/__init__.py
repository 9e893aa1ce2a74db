"""The command line, one file per group of commands. Heavy imports happen inside commands, when one runs."""
