"""What is painted on a head: pigment, hair, marks, eyes and mouth, as one texture."""
