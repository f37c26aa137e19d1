"""The rules that come with datalint, found through the same door as third-party rule packs."""
