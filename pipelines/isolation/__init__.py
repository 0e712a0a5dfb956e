"""Tasks in processes that may die, and inputs that kill them found."""
