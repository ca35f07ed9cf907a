"""One small file per command of the command line."""
