"""What synth audit reads and prints."""
