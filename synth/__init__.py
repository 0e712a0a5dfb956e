"""3D faces in, labelled images out."""
