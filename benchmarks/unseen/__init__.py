"""Training loops that no rule was written on: broken ones and unusual sound ones, with models and data of their own."""
