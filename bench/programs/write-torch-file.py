"""Writes a .pt of float32 tensors. Usage: write-torch-file.py FILE BYTES TENSORS"""

import sys

import torch

path, size, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
elements = size // 4 // count
torch.save({f"arg_{i}": torch.rand(elements) for i in range(count)}, path)
