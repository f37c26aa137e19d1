"""What a rule is, where rules are found, and what they say of themselves."""
