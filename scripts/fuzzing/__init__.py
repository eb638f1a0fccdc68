"""What fuzzers are set upon."""
