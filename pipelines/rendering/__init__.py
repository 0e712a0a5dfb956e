"""What synth render reads and writes."""
