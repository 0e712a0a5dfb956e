"""What people wear and hold: hair, glasses, hands, phones, masks and scarves, fitted to a head."""
