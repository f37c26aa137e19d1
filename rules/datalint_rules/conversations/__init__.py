"""Rules about conversations: turns, prompts and answers, preferences."""
