"""What stands behind a person: backcloths, rooms, the outdoors, photographs."""
