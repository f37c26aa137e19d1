"""Writes the files in ``tests/sources/saved_tensors``, as PyTorch 2.13 does: run it by itself."""

from pathlib import Path

import torch

HOME = Path(__file__).parents[2] / "sources/saved_tensors"
X = (torch.arange(40 * 8 * 8, dtype=torch.int64) * 7919 % 251).to(torch.uint8).reshape(40, 8, 8)
Y = torch.arange(40) * 13 % 5

torch.save((X, Y), HOME / "pair.pt")
torch.save({"images": X.float() / 255, "labels": Y}, HOME / "named.pth")
torch.save({"x": X.to(torch.bfloat16), "y": Y}, HOME / "half.pt")
torch.save({"train": (X[:30], Y[:30]), "test": (X[30:], Y[30:])}, HOME / "splits.pt")
torch.save({"x": X.permute(0, 2, 1), "y": Y}, HOME / "turned.pt")
torch.save(torch.nn.Linear(3, 4).state_dict(), HOME / "weights.pt")
torch.save(torch.nn.Linear(3, 4), HOME / "model.pt")
torch.save((X, Y), HOME / "old.pt", _use_new_zipfile_serialization=False)
