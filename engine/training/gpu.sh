#!/usr/bin/env bash
# What a machine with an NVIDIA GPU is wanted for, in one go: the bench's steps, then a longer training of the guide.
#
#   engine/training/gpu.sh [MINUTES OF TRAINING] [FOLDER FOR THE RESULTS]
#
# Run it in a checkout with the packages installed. Training needs the glyph cache training-runs/cache/glyphs.pt where
# the emoji font is not installed. It resumes from FOLDER/checkpoint.pt if one is there.
set -eu
minutes=${1:-20}
out=${2:-gpu-results}
mkdir -p "$out"
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | tee "$out/gpu.txt"
for preset in live paper; do
  python -m vj bench step --device cuda --preset "$preset" --json | tee "$out/bench-$preset.json"
done
python -m engine.training.guide --device cuda --batch 512 --minutes "$minutes" --out "$out/guide.safetensors" | tee "$out/training.log"
python -m engine.training.sheet --guide "$out/guide.safetensors" --out "$out/sheet.png" || true
